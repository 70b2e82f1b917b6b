/* What the resident instance starts: the units that are enabled in the first directory of the path, that is
 * /etc/amphid. systemd's own directories are systemd's to enable. */
#include "install.h"
#include "units_inside.h"

int units_enabled(const struct units *all, char ***ret)
{
    return install_enabled(all->paths, ret);
}

/* The sending half of a sink. Only log_sink.c and log.c use it. */
#pragma once
#include "log_sink.h"

#define DEV_LOG "/dev/log"

/* Connects to the journal (its datagram socket or a stream) or to syslog, as s->kind says. Errors of connect(2). */
int log_sink_connect(struct log_sink *s);

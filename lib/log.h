/* log - one JSON line an occasion on stderr; control characters escaped; ids only, never secrets, cards or personal data. */
#ifndef MP_LOG_H
#define MP_LOG_H

#include <stdarg.h>

enum log_level { LOG_INFO_, LOG_WARN_, LOG_ERROR_ };

void log_open(const char *program);
void log_from(enum log_level least);            /* what is less is not written: the motorpool command says only what went wrong */
void log_request(const char *request_id);       /* what following lines carry; NULL: none */
void log_info(const char *what, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void log_warn(const char *what, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void log_error(const char *what, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif

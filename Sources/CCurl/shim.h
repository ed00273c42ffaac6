#pragma once
#include <curl/curl.h>
/* What drives libcurl's sockets and its thread; Swift's Glibc module leaves them out. */
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

/* glibc hides it behind _GNU_SOURCE, which is not set for system modules. */
extern int pthread_setname_np(pthread_t thread, const char *name);

/*
 * curl_easy_setopt and its kin are variadic, which Swift cannot call: one typed door for each kind of argument. The doors for callbacks also keep
 * Swift from giving an option a function of another option's type.
 */

typedef size_t (*ccurl_data_callback)(char *data, size_t size, size_t count, void *user);

static inline CURLcode ccurl_set_long(CURL *easy, CURLoption option, long value) { return curl_easy_setopt(easy, option, value); }
static inline CURLcode ccurl_set_offset(CURL *easy, CURLoption option, curl_off_t value) { return curl_easy_setopt(easy, option, value); }
static inline CURLcode ccurl_set_string(CURL *easy, CURLoption option, const char *value) { return curl_easy_setopt(easy, option, value); }
static inline CURLcode ccurl_set_pointer(CURL *easy, CURLoption option, const void *value) { return curl_easy_setopt(easy, option, value); }
static inline CURLcode ccurl_set_headers(CURL *easy, struct curl_slist *value) { return curl_easy_setopt(easy, CURLOPT_HTTPHEADER, value); }
static inline CURLcode ccurl_set_names(CURL *easy, struct curl_slist *value) { return curl_easy_setopt(easy, CURLOPT_RESOLVE, value); }
static inline CURLcode ccurl_set_on_data(CURL *easy, CURLoption option, ccurl_data_callback value) { return curl_easy_setopt(easy, option, value); }
static inline CURLcode ccurl_set_on_open(CURL *easy, curl_opensocket_callback value)
{
    return curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, value);
}
static inline CURLcode ccurl_set_on_close(CURL *easy, curl_closesocket_callback value)
{
    return curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, value);
}
static inline CURLcode ccurl_set_on_request(CURL *easy, curl_prereq_callback value) { return curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, value); }

static inline CURLcode ccurl_get_long(CURL *easy, CURLINFO info, long *value) { return curl_easy_getinfo(easy, info, value); }
static inline CURLcode ccurl_get_offset(CURL *easy, CURLINFO info, curl_off_t *value) { return curl_easy_getinfo(easy, info, value); }
static inline CURLcode ccurl_get_pointer(CURL *easy, CURLINFO info, void **value) { return curl_easy_getinfo(easy, info, value); }

static inline CURLMcode ccurl_multi_set_long(CURLM *multi, CURLMoption option, long value) { return curl_multi_setopt(multi, option, value); }
static inline CURLMcode ccurl_multi_set_pointer(CURLM *multi, CURLMoption option, void *value) { return curl_multi_setopt(multi, option, value); }
static inline CURLMcode ccurl_multi_set_on_socket(CURLM *multi, curl_socket_callback value)
{
    return curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, value);
}
static inline CURLMcode ccurl_multi_set_on_timer(CURLM *multi, curl_multi_timer_callback value)
{
    return curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, value);
}

/* Expressions and casts in macros, which Swift does not import. */
static const long ccurl_global_default = CURL_GLOBAL_DEFAULT;
static const curl_socket_t ccurl_socket_bad = CURL_SOCKET_BAD;
static const int ccurl_on_request_ok = CURL_PREREQFUNC_OK;
static const int ccurl_on_request_abort = CURL_PREREQFUNC_ABORT;
static const long ccurl_http_1_1 = CURL_HTTP_VERSION_1_1;
static const long ccurl_http_2_over_tls = CURL_HTTP_VERSION_2TLS;

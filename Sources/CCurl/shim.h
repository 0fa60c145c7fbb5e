#include <curl/curl.h>

// libcurl's functions that take any number of arguments, once for each kind of argument: Swift cannot call them otherwise.

static inline CURLcode flexi_curl_set_long(CURL *handle, CURLoption option, long value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode flexi_curl_set_text(CURL *handle, CURLoption option, const char *value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode flexi_curl_set_pointer(CURL *handle, CURLoption option, void *value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode flexi_curl_set_list(CURL *handle, CURLoption option, struct curl_slist *value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode flexi_curl_set_mime(CURL *handle, curl_mime *value) {
    return curl_easy_setopt(handle, CURLOPT_MIMEPOST, value);
}

typedef size_t (*flexi_curl_write)(char *bytes, size_t size, size_t count, void *context);

static inline CURLcode flexi_curl_set_write(CURL *handle, CURLoption option, flexi_curl_write function) {
    return curl_easy_setopt(handle, option, function);
}

typedef int (*flexi_curl_debug)(CURL *handle, curl_infotype type, char *bytes, size_t count, void *context);

static inline CURLcode flexi_curl_set_debug(CURL *handle, flexi_curl_debug function) {
    return curl_easy_setopt(handle, CURLOPT_DEBUGFUNCTION, function);
}

static inline CURLcode flexi_curl_get_long(CURL *handle, CURLINFO info, long *value) {
    return curl_easy_getinfo(handle, info, value);
}

static inline CURLcode flexi_curl_get_pointer(CURL *handle, CURLINFO info, void **value) {
    return curl_easy_getinfo(handle, info, value);
}

static inline CURLMcode flexi_curl_multi_set_long(CURLM *multi, CURLMoption option, long value) {
    return curl_multi_setopt(multi, option, value);
}

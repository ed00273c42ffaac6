#pragma once
#include <dlfcn.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The parts of libzstd's and libbrotlidec's interfaces that decode a stream. Both are stable within the version that the
 * file's name says. They are found when the process runs, since not every system has them.
 */

/* Laid out as ZSTD_inBuffer and ZSTD_outBuffer. */
typedef struct { const void *bytes; size_t size; size_t position; } cdecoders_input;
typedef struct { void *bytes; size_t size; size_t position; } cdecoders_output;

typedef struct __attribute__((swift_attr("@Sendable"))) {
    void *(*create)(void);
    size_t (*free)(void *);
    size_t (*set)(void *, int, int);
    size_t (*decode)(void *, cdecoders_output *, cdecoders_input *);
    unsigned (*is_error)(size_t);
} cdecoders_zstd;

/* Whether the system has the library with all of these functions. It stays loaded. */
static inline bool cdecoders_find_zstd(cdecoders_zstd *zstd) {
    void *library = dlopen("libzstd.so.1", RTLD_NOW | RTLD_LOCAL);
    if (!library) return false;
    *(void **)&zstd->create = dlsym(library, "ZSTD_createDStream");
    *(void **)&zstd->free = dlsym(library, "ZSTD_freeDStream");
    *(void **)&zstd->set = dlsym(library, "ZSTD_DCtx_setParameter");
    *(void **)&zstd->decode = dlsym(library, "ZSTD_decompressStream");
    *(void **)&zstd->is_error = dlsym(library, "ZSTD_isError");
    return zstd->create && zstd->free && zstd->set && zstd->decode && zstd->is_error;
}

/* `create` with the largest window that a stream may ask for (ZSTD_d_windowLogMax). NULL if there is no memory. */
static inline void *cdecoders_zstd_begin(const cdecoders_zstd *zstd, int window_log) {
    enum { window_log_max = 100 };
    void *stream = zstd->create();
    if (stream && zstd->is_error(zstd->set(stream, window_log_max, window_log))) {
        zstd->free(stream);
        return NULL;
    }
    return stream;
}

static inline void cdecoders_zstd_end(const cdecoders_zstd *zstd, void *stream) { zstd->free(stream); }

/* 1: a frame has ended, 0: it has not, -1: it is broken. */
static inline int cdecoders_zstd_decode(
    const cdecoders_zstd *zstd, void *stream, cdecoders_output *output, cdecoders_input *input) {
    size_t result = zstd->decode(stream, output, input);
    return zstd->is_error(result) ? -1 : result == 0;
}

typedef struct __attribute__((swift_attr("@Sendable"))) {
    void *(*create)(void *, void *, void *);
    void (*free)(void *);
    int (*decode)(void *, size_t *, const uint8_t **, size_t *, uint8_t **, size_t *);
} cdecoders_brotli;

static inline bool cdecoders_find_brotli(cdecoders_brotli *brotli) {
    void *library = dlopen("libbrotlidec.so.1", RTLD_NOW | RTLD_LOCAL);
    if (!library) return false;
    *(void **)&brotli->create = dlsym(library, "BrotliDecoderCreateInstance");
    *(void **)&brotli->free = dlsym(library, "BrotliDecoderDestroyInstance");
    *(void **)&brotli->decode = dlsym(library, "BrotliDecoderDecompressStream");
    return brotli->create && brotli->free && brotli->decode;
}

static inline void *cdecoders_brotli_begin(const cdecoders_brotli *brotli) { return brotli->create(NULL, NULL, NULL); }

static inline void cdecoders_brotli_end(const cdecoders_brotli *brotli, void *stream) { brotli->free(stream); }

/* As cdecoders_zstd_decode. */
static inline int cdecoders_brotli_decode(
    const cdecoders_brotli *brotli, void *stream, cdecoders_output *output, cdecoders_input *input) {
    enum { failed = 0, succeeded = 1 };
    size_t left = input->size - input->position, room = output->size - output->position;
    const uint8_t *in = (const uint8_t *)input->bytes + input->position;
    uint8_t *out = (uint8_t *)output->bytes + output->position;
    int result = brotli->decode(stream, &left, &in, &room, &out, NULL);
    input->position = input->size - left;
    output->position = output->size - room;
    return result == failed ? -1 : result == succeeded;
}

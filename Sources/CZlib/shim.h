#pragma once
#include <zlib.h>

/// `inflateInit2` is a macro, which Swift does not see.
static inline int czlib_begin_inflate(z_stream *stream, int window_bits) {
    return inflateInit2(stream, window_bits);
}

/// Likewise `deflateInit2`: gzip's frame (16 beyond the window's 15 bits, zlib.h), the fastest level, zlib's usual
/// memory.
static inline int czlib_begin_gzip(z_stream *stream) {
    return deflateInit2(stream, Z_BEST_SPEED, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
}

#pragma once
#include <zlib.h>

/// `inflateInit2` is a macro, which Swift does not see. 16 beyond the window's 15 bits: gzip's frame and nothing else (zlib.h).
static inline int czlib_begin_gunzip(z_stream *stream) {
    return inflateInit2(stream, 15 + 16);
}

/// Likewise `deflateInit2`: gzip's frame, the fastest level, zlib's usual memory.
static inline int czlib_begin_gzip(z_stream *stream) {
    return deflateInit2(stream, Z_BEST_SPEED, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
}

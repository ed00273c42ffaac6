# The metadata-gateway executable on a slim Debian 12. docker-compose.yml runs it as ingress, forwarder and verifier.
FROM swift:6.3.1-bookworm AS build
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libcurl4-openssl-dev libhiredis-dev libsqlite3-dev libyaml-dev zlib1g-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /source
# The packages alone first: as long as the manifest does not change, this layer is not made again.
COPY Package.swift ./
RUN swift package resolve
COPY Sources ./Sources
# Not built, but the manifest names them.
COPY Examples ./Examples
COPY Tests ./Tests
RUN swift build -c release --product metadata-gateway --static-swift-stdlib \
    && install -D "$(swift build -c release --show-bin-path)/metadata-gateway" /out/metadata-gateway

FROM debian:12.11-slim
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates libcurl4 libhiredis0.14 libjemalloc2 libsqlite3-0 libyaml-0-2 zlib1g \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 1000 --create-home --shell /usr/sbin/nologin gateway
COPY --from=build /out/metadata-gateway /usr/local/bin/metadata-gateway
USER gateway
WORKDIR /home/gateway
# glibc's malloc keeps the memory of many threads' short-lived buffers; jemalloc gives it back.
ENV LD_PRELOAD=libjemalloc.so.2 PORT=4000
EXPOSE 4000
# Asks as an HTTP client does, without one in the image. A forwarder and a verifier serve no HTTP: run them with --no-healthcheck.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s CMD ["bash", "-c", \
    "exec 3<>/dev/tcp/127.0.0.1/$PORT && printf 'GET /health HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n' >&3 && head -n 1 <&3 | grep -q ' 200 '"]
ENTRYPOINT ["metadata-gateway"]
CMD ["ingress"]

# Build: docker build -t reseed .
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -o /out/reseed . && mkdir /out/data

# The program alone: no shell, no package manager.
FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/reseed /reseed
COPY --from=build --chown=65532:65532 /out/data /data
USER 65532:65532
ENV RESEED_DATA=/data RESEED_LISTEN=:8080
EXPOSE 8080
VOLUME /data
HEALTHCHECK --interval=10s --timeout=3s CMD ["/reseed", "health"]
ENTRYPOINT ["/reseed"]
CMD ["serve"]

// Not a gRPC server, but the limit of one: responds to every request with the same bytes. Its argument is the port (0 for any free one).
//
// It reads frame headers only, and writes a response of fixed bytes (HEADERS, DATA, trailers) for each stream that has ended, with one
// write per read. It decodes no headers and no messages, and keeps no state of streams. Its cost is that of the kernel, which every server
// with one socket per connection has. It only gives its peer enough window to never wait, and assumes that the peer's window is never full,
// which is true for h2load and grpc-js with responses of this size.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FRAME_HEADER = 9, DATA = 0, HEADERS = 1, SETTINGS = 4, PING = 6, GOAWAY = 7, WINDOW_UPDATE = 8 };
enum { END_STREAM = 1, ACK = 1, END_HEADERS = 4 };
enum { READ_BYTES = 1 << 18, MAX_CONNECTIONS = 1024, PREFACE = 24 };

// "hello from the bench" in field 1, in gRPC's frame.
static const char kMessage[] = "\0\0\0\0\x16\x0a\x14hello from the bench";
enum { MESSAGE = sizeof kMessage - 1 };
// :status 200 from the static table; content-type without indexing.
static const char kHead[] = "\x88\x0f\x10\x10" "application/grpc";
enum { HEAD = sizeof kHead - 1 };
static const char kTrailers[] = "\x00\x0bgrpc-status\x01" "0";
enum { TRAILERS = sizeof kTrailers - 1 };
enum { ANSWER = 3 * FRAME_HEADER + HEAD + MESSAGE + TRAILERS };

struct connection {
  int socket;
  int preface_left;
  // The incomplete frame header at the end of the last read.
  unsigned char header[FRAME_HEADER];
  int header_have;
  // The number of missing bytes of a frame's payload.
  uint32_t payload_left;
  unsigned char type, flags;
  uint32_t stream;
  unsigned char ping[8];
  uint64_t unacknowledged;
};

static unsigned char answer[ANSWER];
static unsigned char input[READ_BYTES];
// A frame has at least nine bytes, so a read never needs more responses than this.
static unsigned char output[(READ_BYTES / FRAME_HEADER + 1) * ANSWER];
static size_t output_have;

static void fail(const char* what) {
  perror(what);
  exit(1);
}

static void put32(unsigned char* at, uint32_t value) {
  at[0] = value >> 24;
  at[1] = value >> 16;
  at[2] = value >> 8;
  at[3] = value;
}

static unsigned char* frame(unsigned char* at, uint32_t length, int type, int flags, uint32_t stream, const void* payload) {
  at[0] = length >> 16;
  at[1] = length >> 8;
  at[2] = length;
  at[3] = type;
  at[4] = flags;
  put32(at + 5, stream);
  memcpy(at + FRAME_HEADER, payload, length);
  return at + FRAME_HEADER + length;
}

static void queue(uint32_t length, int type, int flags, uint32_t stream, const void* payload) {
  output_have = frame(output + output_have, length, type, flags, stream, payload) - output;
}

static void queue_answer(uint32_t stream) {
  unsigned char* at = output + output_have;
  memcpy(at, answer, ANSWER);
  put32(at + 5, stream);
  put32(at + FRAME_HEADER + HEAD + 5, stream);
  put32(at + 2 * FRAME_HEADER + HEAD + MESSAGE + 5, stream);
  output_have += ANSWER;
}

static void grant(uint32_t bytes) {
  unsigned char payload[4];
  put32(payload, bytes);
  queue(sizeof payload, WINDOW_UPDATE, 0, 0, payload);
}

static void end_frame(struct connection* connection) {
  if (connection->type == SETTINGS && !(connection->flags & ACK)) queue(0, SETTINGS, ACK, 0, "");
  if (connection->type == PING && !(connection->flags & ACK)) queue(8, PING, ACK, 0, connection->ping);
  if (connection->type <= HEADERS && (connection->flags & END_STREAM)) queue_answer(connection->stream);
}

// Processes the bytes of a read. Returns false if they are not the HTTP/2 that this program supports.
static int take(struct connection* connection, size_t have) {
  size_t at = 0;
  if (connection->preface_left > 0) {
    size_t part = have < (size_t)connection->preface_left ? have : (size_t)connection->preface_left;
    connection->preface_left -= part;
    at = part;
  }
  while (at < have) {
    if (connection->payload_left > 0) {
      size_t part = have - at < connection->payload_left ? have - at : connection->payload_left;
      if (connection->type == PING) memcpy(connection->ping + 8 - connection->payload_left, input + at, part);
      at += part;
      connection->payload_left -= part;
      if (connection->payload_left == 0) end_frame(connection);
      continue;
    }
    connection->header[connection->header_have++] = input[at++];
    if (connection->header_have < FRAME_HEADER) continue;
    connection->header_have = 0;
    const unsigned char* header = connection->header;
    connection->payload_left = header[0] << 16 | header[1] << 8 | header[2];
    connection->type = header[3];
    connection->flags = header[4];
    connection->stream = (uint32_t)(header[5] & 0x7f) << 24 | header[6] << 16 | header[7] << 8 | header[8];
    if (connection->type == PING && connection->payload_left != 8) return 0;
    if (connection->type == DATA) connection->unacknowledged += connection->payload_left;
    if (connection->payload_left == 0) end_frame(connection);
  }
  if (connection->unacknowledged >= 1u << 30) {
    grant(connection->unacknowledged);
    connection->unacknowledged = 0;
  }
  return 1;
}

static void send_output(int socket) {
  size_t sent = 0;
  while (sent < output_have) {
    ssize_t part = send(socket, output + sent, output_have - sent, MSG_NOSIGNAL);
    if (part > 0) sent += part;
    // A peer that does not read would only block this program, which serves one load generator.
    else if (part < 0 && errno != EINTR) break;
  }
  output_have = 0;
}

static void begin(struct connection* connection, int socket) {
  memset(connection, 0, sizeof *connection);
  connection->socket = socket;
  connection->preface_left = PREFACE;
  int on = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  // No stream limit, and windows that never fill: 2^31 - 1 for each stream and for the connection.
  unsigned char settings[6] = {0, 4, 0x7f, 0xff, 0xff, 0xff};
  queue(sizeof settings, SETTINGS, 0, 0, settings);
  grant(0x7fffffff - 65535);
  send_output(socket);
}

int main(int argc, char** argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: server <port>\n");
    return 1;
  }
  unsigned char* at = frame(answer, HEAD, HEADERS, END_HEADERS, 0, kHead);
  at = frame(at, MESSAGE, DATA, 0, 0, kMessage);
  frame(at, TRAILERS, HEADERS, END_HEADERS | END_STREAM, 0, kTrailers);

  int listener = socket(AF_INET, SOCK_STREAM, 0);
  int on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  if (bind(listener, (struct sockaddr*)&address, length) != 0) fail("bind");
  if (listen(listener, 511) != 0) fail("listen");
  getsockname(listener, (struct sockaddr*)&address, &length);
  int poll = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
  epoll_ctl(poll, EPOLL_CTL_ADD, listener, &event);
  printf("{\"port\":%d}\n", ntohs(address.sin_port));
  fflush(stdout);

  for (;;) {
    struct epoll_event ready[MAX_CONNECTIONS];
    int count = epoll_wait(poll, ready, MAX_CONNECTIONS, -1);
    for (int i = 0; i < count; i++) {
      struct connection* connection = ready[i].data.ptr;
      if (connection == NULL) {
        int socket = accept(listener, NULL, NULL);
        connection = socket < 0 ? NULL : malloc(sizeof *connection);
        if (connection == NULL) continue;
        begin(connection, socket);
        struct epoll_event added = {.events = EPOLLIN, .data.ptr = connection};
        epoll_ctl(poll, EPOLL_CTL_ADD, socket, &added);
        continue;
      }
      ssize_t have = read(connection->socket, input, sizeof input);
      if (have < 0 && (errno == EINTR || errno == EAGAIN)) continue;
      if (have > 0 && take(connection, have)) {
        send_output(connection->socket);
        continue;
      }
      output_have = 0;
      close(connection->socket);
      free(connection);
    }
  }
}

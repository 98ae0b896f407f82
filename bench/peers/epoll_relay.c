// epoll_relay: the least C that relays chat, kept as a yardstick. One thread, one epoll, one send(2) per message; nothing
// is coalesced, on purpose. What a socket does not take at once waits in that client's own buffer.
//
// Wire (len4): four decimal digits, then that many bytes of body, for example "0010NAME alice".
// usage: epoll_relay PORT    (0 picks a free port; prints "listening PORT")
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { DIGITS = 4, MAX_BODY = 1024, MAX_NAME = 32, IN_BYTES = 16384, OUT_LIMIT = 1 << 20, BUCKETS = 4096, EVENTS = 256 };

struct client {
  int fd;
  bool dead;
  char name[MAX_NAME + 1];  // empty until NAME
  struct client *next_in_bucket, *next_dead;
  char *out;  // unsent bytes: out[out_start .. out_end)
  size_t out_start, out_end, out_capacity;
  size_t in_length;
  char in[IN_BYTES];
};

static int epoll;
static struct client *buckets[BUCKETS];
static struct client *graveyard;  // freed after the batch of events, which may still point at them

// ---- names ----

static struct client **bucket_of(const char *name, size_t length) {
  uint32_t hash = 2166136261u;  // FNV-1a
  for (size_t i = 0; i < length; i++) hash = (hash ^ (unsigned char)name[i]) * 16777619u;
  return &buckets[hash % BUCKETS];
}

static struct client *find(const char *name, size_t length) {
  struct client *c = *bucket_of(name, length);
  while (c && (strlen(c->name) != length || memcmp(c->name, name, length))) c = c->next_in_bucket;
  return c;
}

static void unlink_name(struct client *c) {
  if (!c->name[0]) return;
  struct client **link = bucket_of(c->name, strlen(c->name));
  while (*link != c) link = &(*link)->next_in_bucket;
  *link = c->next_in_bucket;
  c->name[0] = 0;
}

static void link_name(struct client *c, const char *name, size_t length) {
  unlink_name(c);
  memcpy(c->name, name, length);
  c->name[length] = 0;
  struct client **bucket = bucket_of(name, length);
  c->next_in_bucket = *bucket;
  *bucket = c;
}

// ---- sockets ----

static void doom(struct client *c) {
  if (c->dead) return;
  c->dead = true;
  unlink_name(c);
  c->next_dead = graveyard;
  graveyard = c;
}

static void bury(void) {
  while (graveyard) {
    struct client *c = graveyard;
    graveyard = c->next_dead;
    close(c->fd);
    free(c->out);
    free(c);
  }
}

static void watch(struct client *c, uint32_t events, int operation) {
  struct epoll_event event = {.events = events, .data.ptr = c};
  if (epoll_ctl(epoll, operation, c->fd, &event)) doom(c);
}

// Sends what the socket takes; -1 when the connection is gone.
static ssize_t try_send(struct client *c, const char *data, size_t length) {
  ssize_t sent = send(c->fd, data, length, MSG_NOSIGNAL);
  return sent < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : sent;
}

static void keep(struct client *c, const char *data, size_t length) {
  size_t waiting = c->out_end - c->out_start;
  if (waiting + length > OUT_LIMIT) return doom(c);  // never reads: cut
  if (c->out_end + length > c->out_capacity) {
    if (waiting) memmove(c->out, c->out + c->out_start, waiting);
    c->out_start = 0;
    c->out_end = waiting;
    while (c->out_capacity < waiting + length) c->out_capacity = c->out_capacity ? c->out_capacity * 2 : 4096;
    if (!(c->out = realloc(c->out, c->out_capacity))) abort();
  }
  memcpy(c->out + c->out_end, data, length);
  c->out_end += length;
  if (!waiting) watch(c, EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
}

static void transmit(struct client *c, const char *data, size_t length) {
  if (c->dead) return;
  ssize_t sent = c->out_end > c->out_start ? 0 : try_send(c, data, length);
  if (sent < 0) doom(c);
  else if ((size_t)sent < length) keep(c, data + sent, length - sent);
}

static void writable(struct client *c) {
  ssize_t sent = try_send(c, c->out + c->out_start, c->out_end - c->out_start);
  if (sent < 0) return doom(c);
  c->out_start += sent;
  if (c->out_start < c->out_end) return;
  c->out_start = c->out_end = 0;
  watch(c, EPOLLIN, EPOLL_CTL_MOD);
}

// ---- protocol ----

// Joins three pieces into one frame and sends it; lengths are in bytes and their sum is at most 9999.
static void frame(struct client *c, const char *a, size_t na, const char *b, size_t nb, const char *d, size_t nd) {
  char out[DIGITS + 9999];
  size_t body = na + nb + nd, rest = body;
  for (int i = DIGITS - 1; i >= 0; i--, rest /= 10) out[i] = '0' + rest % 10;
  memcpy(out + DIGITS, a, na);
  memcpy(out + DIGITS + na, b, nb);
  memcpy(out + DIGITS + na + nb, d, nd);
  transmit(c, out, DIGITS + body);
}

static void answer(struct client *c, const char *text, const char *word, size_t length) {
  frame(c, text, strlen(text), word, length, "", 0);
}

static void list_names(struct client *c) {  // in the order of the hash table, as many as a frame holds
  char names[9999];
  size_t length = 0;
  for (int i = 0; i < BUCKETS; i++) {
    for (struct client *each = buckets[i]; each; each = each->next_in_bucket) {
      if (length + 1 + strlen(each->name) >= sizeof names) break;
      length += sprintf(names + length, "%s%s", length ? " " : "", each->name);
    }
  }
  answer(c, "", names, length);
}

static void message(struct client *c, const char *rest, size_t length) {
  const char *space = memchr(rest, ' ', length);
  size_t name_length = space ? (size_t)(space - rest) : length;
  const char *text = space ? space + 1 : rest + length;
  struct client *to = find(rest, name_length);
  if (!c->name[0]) answer(c, "ERROR choose a name first: NAME <name>", "", 0);
  else if (!to) answer(c, "ERROR no such user: ", rest, name_length);
  else frame(to, c->name, strlen(c->name), " sent ", 6, text, rest + length - text);
}

static void rename_client(struct client *c, const char *name, size_t length) {
  struct client *holder = find(name, length);
  if (!length || length > MAX_NAME || memchr(name, ' ', length) || memchr(name, 0, length)) {
    answer(c, "ERROR invalid name", "", 0);
  } else if (holder && holder != c) {
    answer(c, "ERROR name taken: ", name, length);
  } else {
    link_name(c, name, length);
    answer(c, "HELLO ", name, length);
  }
}

static bool is(const char *word, const char *body, size_t length) {
  return strlen(word) == length && !memcmp(word, body, length);
}

static void handle(struct client *c, const char *body, size_t length) {
  const char *space = memchr(body, ' ', length);
  size_t word = space ? (size_t)(space - body) : length;
  size_t skip = space ? word + 1 : length;
  if (length > MAX_BODY) answer(c, "ERROR message too long", "", 0);
  else if (is("MSG", body, word)) message(c, body + skip, length - skip);
  else if (is("NAME", body, word)) rename_client(c, body + skip, length - skip);
  else if (is("GET_NAMES", body, word)) list_names(c);
  else if (is("EXIT", body, word)) answer(c, "EXIT", "", 0), doom(c);
  else answer(c, "ERROR unknown command: ", body, word);
}

static int body_length(const char *digits) {
  int length = 0;
  for (int i = 0; i < DIGITS; i++) {
    if (digits[i] < '0' || digits[i] > '9') return -1;
    length = length * 10 + digits[i] - '0';
  }
  return length;
}

static void readable(struct client *c) {
  ssize_t got = read(c->fd, c->in + c->in_length, IN_BYTES - c->in_length);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) return doom(c);
  c->in_length += got;
  size_t at = 0;
  while (!c->dead && c->in_length - at >= DIGITS) {
    int length = body_length(c->in + at);
    if (length < 0) return doom(c);  // the stream cannot be resynchronised
    if (c->in_length - at < DIGITS + (size_t)length) break;
    handle(c, c->in + at + DIGITS, length);
    at += DIGITS + length;
  }
  memmove(c->in, c->in + at, c->in_length -= at);
}

static void greet(int listener) {
  int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
  if (fd < 0) return;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
  struct client *c = calloc(1, sizeof *c);
  if (!c) abort();
  c->fd = fd;
  watch(c, EPOLLIN, EPOLL_CTL_ADD);
}

int main(int argc, char **argv) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  address.sin_port = htons(argc > 1 ? atoi(argv[1]) : 0);
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
  if (bind(listener, (struct sockaddr *)&address, size) || listen(listener, 512)) return perror("epoll_relay"), 1;
  getsockname(listener, (struct sockaddr *)&address, &size);
  printf("listening %d\n", ntohs(address.sin_port));
  fflush(stdout);

  epoll = epoll_create1(0);
  struct epoll_event events[EVENTS], accepting = {.events = EPOLLIN, .data.ptr = NULL};
  epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &accepting);
  for (;;) {
    int count = epoll_wait(epoll, events, EVENTS, -1);
    for (int i = 0; i < count; i++) {
      struct client *c = events[i].data.ptr;
      if (!c) greet(listener);
      else if (!c->dead && (events[i].events & EPOLLOUT)) writable(c);
      if (c && !c->dead && (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))) readable(c);
    }
    bury();
  }
}

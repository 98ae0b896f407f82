// chatload: measures how fast a chat server relays, and how late.
//
// Every pair is a sender and a receiver. The sender keeps WINDOW messages in flight: each delivery that the receiver sees
// is counted, its age recorded, and lets the next message go. What one read delivered is answered by one write, so a
// server that gathers its writes is driven by a client that gathers its own.
//
// A message's text is the time it was sent, 16 hexadecimal digits of nanoseconds, and padding up to BODYLEN:
//   sender  > 0028MSG b2f1003 00000000075bcd15        receiver < 0029a2f1003 sent 00000000075bcd15
//
// usage: chatload HOST PORT PAIRS SECONDS WINDOW BODYLEN [--stalled N | --drained N]
// --stalled N adds N clients that never read, each flooded by a sender of its own (20 MB/s) from a quarter of the run on
// until the server cuts it. --drained N floods N clients that do read: the same load without the stall. With either, the
// latencies are those of the pairs while the flood lasted. Prints one line of JSON; always ends, in SECONDS and a few more.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
  DIGITS = 4,            // of a frame's length
  STAMP = 16,            // hexadecimal digits of a time
  READ_BYTES = 1 << 16,  // taken by one read, and the most of a frame that may be incomplete
  FLOOD_BODY = 1000,
  FLOOD_BURST = 20,  // messages a millisecond
  EVENTS = 256,
  SLOWEST_US = 10 * 1000 * 1000,  // slower deliveries count as this slow
  HANDSHAKE_S = 5,
  GRACE_S = 15,
};
static const uint64_t MS = 1000 * 1000, FLOOD_TAIL = 100 * MS;  // nanoseconds

enum role { SENDER, RECEIVER, FLOODER, STALLED, DRAINED };

struct end {
  int fd;
  enum role role;
  struct pair *pair;
  char name[16];
  size_t length;  // of what was read and is not yet a whole frame
  char in[READ_BYTES];
};

struct pair {
  struct end from, to;
  char *frame;  // a whole message of this pair, whose time is rewritten for each sending
  size_t frame_length, stamp_at;
  char *out;  // frames on their way: out[sent .. queued)
  size_t sent, queued;
  uint64_t posted_at;
  bool flooding;  // flood pairs only: from the start of the flood until the cut
  double cut_seconds;
};

static int epoll, body_length;
static uint64_t started, flood_starts, flood_ended;
static long delivered, errors, flooded, recorded;
static uint32_t ages[SLOWEST_US + 1];  // a count for every microsecond

static uint64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000 * MS + t.tv_nsec;
}

static void fail(const char *what, const char *why) {
  fprintf(stderr, "chatload: %s: %s\n", what, why);
  exit(1);
}

static void *allocate(size_t count, size_t size) {
  void *memory = calloc(count, size);
  if (!memory) fail("memory", strerror(errno));
  return memory;
}

static void write_stamp(char *out, uint64_t time) {
  for (int i = STAMP - 1; i >= 0; i--, time >>= 4) out[i] = "0123456789abcdef"[time & 15];
}

static bool read_stamp(const char *in, uint64_t *time) {
  *time = 0;
  for (int i = 0; i < STAMP; i++) {
    int digit = in[i] >= '0' && in[i] <= '9' ? in[i] - '0' : in[i] >= 'a' && in[i] <= 'f' ? in[i] - 'a' + 10 : -1;
    if (digit < 0) return false;
    *time = *time << 4 | digit;
  }
  return true;
}

static int read_digits(const char *in) {
  int value = 0;
  for (int i = 0; i < DIGITS; i++) {
    if (in[i] < '0' || in[i] > '9') fail("server", "sent a length that is not four digits");
    value = value * 10 + in[i] - '0';
  }
  return value;
}

// ---- sending ----

static void watch(struct end *end, uint32_t events, int operation) {
  struct epoll_event event = {.events = events, .data.ptr = end};
  if (epoll_ctl(epoll, operation, end->fd, &event)) fail("epoll", strerror(errno));
}

static void flush(struct pair *pair) {
  bool was_waiting = pair->sent > 0;
  ssize_t n = send(pair->from.fd, pair->out + pair->sent, pair->queued - pair->sent, MSG_NOSIGNAL);
  if (n < 0 && errno != EAGAIN && errno != EINTR) {
    if (pair->from.role != FLOODER) fail(pair->from.name, strerror(errno));
    return;  // the read that follows sees the end
  }
  if (n > 0) pair->sent += n;
  bool waits = pair->sent < pair->queued;
  if (!waits) pair->sent = pair->queued = 0;
  if (waits || was_waiting) watch(&pair->from, waits ? EPOLLIN | EPOLLOUT : EPOLLIN, EPOLL_CTL_MOD);
}

// Queues `count` messages stamped with `time` and sends them with one write.
static void post(struct pair *pair, int count, uint64_t time) {
  bool blocked = pair->queued > 0;
  pair->posted_at = time;
  if (pair->sent) {
    pair->queued -= pair->sent;
    memmove(pair->out, pair->out + pair->sent, pair->queued);
    pair->sent = 0;
  }
  write_stamp(pair->frame + pair->stamp_at, time - started);
  for (; count > 0; count--, pair->queued += pair->frame_length) {
    memcpy(pair->out + pair->queued, pair->frame, pair->frame_length);
  }
  if (!blocked) flush(pair);
}

// ---- receiving ----

static void end_flood(struct pair *pair, bool cut) {
  if (!pair->flooding) return;
  pair->flooding = false;
  flood_ended = now();
  if (cut) pair->cut_seconds = (flood_ended - flood_starts) / 1e9;
}

// Notes a delivery of this age, unless a flood is to be measured and does not last at this time.
static void record(uint64_t age, uint64_t time) {
  if (flood_starts && (time < flood_starts || (flood_ended && time > flood_ended + FLOOD_TAIL))) return;
  uint64_t us = age / 1000;
  ages[us < SLOWEST_US ? us : SLOWEST_US]++;
  recorded++;
}

// True for a message of this pair.
static bool on_frame(struct end *end, const char *body, int length, uint64_t time) {
  uint64_t stamp;
  if (end->role == RECEIVER) {
    if (length < body_length || !read_stamp(body + length - body_length, &stamp)) return false;
    record(time - started - stamp, time);
    return true;
  }
  if (length < 5 || memcmp(body, "ERROR", 5)) return false;
  if (end->role != FLOODER) errors++;
  else if (memmem(body, length, end->pair->to.name, strlen(end->pair->to.name))) end_flood(end->pair, true);
  return false;
}

static int on_bytes(struct end *end, uint64_t time) {
  int messages = 0;
  size_t at = 0;
  while (end->length - at >= DIGITS) {
    int length = read_digits(end->in + at);
    if (end->length - at < DIGITS + (size_t)length) break;
    messages += on_frame(end, end->in + at + DIGITS, length, time);
    at += DIGITS + length;
  }
  memmove(end->in, end->in + at, end->length -= at);
  return messages;
}

static void on_closed(struct end *end, const char *why) {
  if (end->role == SENDER || end->role == RECEIVER) fail(end->name, why);
  end_flood(end->pair, end->role == STALLED);
  epoll_ctl(epoll, EPOLL_CTL_DEL, end->fd, NULL);
}

static void on_event(struct end *end, uint32_t events) {
  if (end->role == STALLED) return on_closed(end, "closed");  // it watches for nothing else
  if ((events & EPOLLOUT) && end->pair->queued) flush(end->pair);
  if (!(events & ~EPOLLOUT)) return;
  ssize_t n = read(end->fd, end->in + end->length, READ_BYTES - end->length);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n <= 0) return on_closed(end, n ? strerror(errno) : "closed by the server");
  end->length += n;
  uint64_t time = now();
  int messages = on_bytes(end, time);
  if (!messages) return;
  delivered += messages;
  post(end->pair, messages, time);
}

// ---- setting up ----

static void receive_exactly(struct end *end, char *into, size_t length) {
  ssize_t n = recv(end->fd, into, length, MSG_WAITALL);
  if (n < 0 || (size_t)n < length) fail(end->name, n < 0 ? strerror(errno) : "closed before the answer to NAME");
}

static void join(struct end *end, enum role role, struct pair *pair, int index, const struct sockaddr_in *server) {
  end->role = role;
  end->pair = pair;
  // The process in the name keeps this run apart from one whose names the server has not yet released.
  sprintf(end->name, "%c%03x%03x", "abfsd"[role], getpid() & 0xfff, index & 0xfff);
  end->fd = socket(AF_INET, SOCK_STREAM, 0);
  struct timeval patience = {.tv_sec = HANDSHAKE_S};
  setsockopt(end->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  setsockopt(end->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  setsockopt(end->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
  if (connect(end->fd, (const struct sockaddr *)server, sizeof *server)) fail("connect", strerror(errno));
  int length = sprintf(end->in, "%04zuNAME %s", 5 + strlen(end->name), end->name);
  if (send(end->fd, end->in, length, MSG_NOSIGNAL) != length) fail(end->name, strerror(errno));
  receive_exactly(end, end->in, DIGITS);
  length = read_digits(end->in);
  receive_exactly(end, end->in, length);
  if (length >= 5 && !memcmp(end->in, "ERROR", 5)) end->in[length] = 0, fail(end->name, end->in);
  fcntl(end->fd, F_SETFL, O_NONBLOCK);
  watch(end, role == STALLED ? EPOLLRDHUP : EPOLLIN, EPOLL_CTL_ADD);
}

// Makes the pair's frame, and room for as many of them as can be in flight.
static void prepare(struct pair *pair, int text_length, int in_flight) {
  pair->stamp_at = DIGITS + 4 + strlen(pair->to.name) + 1;
  pair->frame_length = pair->stamp_at + text_length;
  pair->frame = allocate(pair->frame_length + 1, 1);
  sprintf(pair->frame, "%04zuMSG %s ", pair->frame_length - DIGITS, pair->to.name);
  memset(pair->frame + pair->stamp_at, 'x', text_length);
  pair->out = allocate(in_flight, pair->frame_length);
}

static struct pair *join_pairs(int count, enum role from, enum role to, const struct sockaddr_in *server) {
  struct pair *pairs = allocate(count + 1, sizeof *pairs);
  for (int i = 0; i < count; i++) {
    join(&pairs[i].from, from, &pairs[i], i, server);
    join(&pairs[i].to, to, &pairs[i], i, server);
  }
  return pairs;
}

// ---- running ----

static void flood(struct pair *pairs, int count, uint64_t time) {
  static uint64_t next;
  if (time < flood_starts || time < next) return;
  for (int i = 0; i < count; i++) {
    if (!next) pairs[i].flooding = true;
    if (!pairs[i].flooding || pairs[i].queued) continue;  // cut, or held back by the server
    post(&pairs[i], FLOOD_BURST, time);
    flooded += FLOOD_BURST;
  }
  next = time + MS;
}

static double percentile(double share) {
  long rank = (recorded - 1) * share, seen = 0;
  for (int us = 0; us <= SLOWEST_US; us++) {
    if ((seen += ages[us]) > rank) return us;
  }
  return 0;  // nothing was delivered
}

static void report(double seconds, const struct pair *floods, int flood_count, bool stalled) {
  struct rusage use;
  getrusage(RUSAGE_SELF, &use);
  double cpu = use.ru_utime.tv_sec + use.ru_stime.tv_sec + (use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6;
  printf("{\"messages_per_second\":%.0f,\"p50_us\":%.0f,\"p99_us\":%.0f,\"max_us\":%.0f,\"deliveries\":%ld", delivered / seconds,
         percentile(0.50), percentile(0.99), percentile(1), delivered);
  printf(",\"errors\":%ld,\"cpu\":%.2f", errors, cpu / seconds);
  if (flood_count) printf(",\"flood_messages\":%ld", flooded);
  if (stalled) {
    bool all = true;
    double last = 0;
    for (int i = 0; i < flood_count; i++) {
      all = all && floods[i].cut_seconds > 0;
      if (floods[i].cut_seconds > last) last = floods[i].cut_seconds;
    }
    printf(",\"stalled_closed\":%s,\"stalled_closed_seconds\":", all ? "true" : "false");
    printf(all ? "%.3f" : "null", last);
  }
  puts("}");
}

int main(int argc, char **argv) {
  bool stalled = argc == 9 && !strcmp(argv[7], "--stalled"), drained = argc == 9 && !strcmp(argv[7], "--drained");
  if (argc != 7 && !stalled && !drained) {
    fprintf(stderr, "usage: chatload HOST PORT PAIRS SECONDS WINDOW BODYLEN [--stalled N | --drained N]\n");
    return 2;
  }
  struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[2]))};
  int pair_count = atoi(argv[3]), window = atoi(argv[5]), flood_count = argc == 9 ? atoi(argv[8]) : 0;
  double seconds = atof(argv[4]);
  body_length = atoi(argv[6]);
  if (inet_pton(AF_INET, argv[1], &server.sin_addr) != 1) fail(argv[1], "not an IPv4 address");
  if (pair_count < 1 || window < 1 || seconds <= 0 || body_length < STAMP || body_length > FLOOD_BODY) {
    fail("arguments", "at least one pair, window 1, some time, and 16 to 1000 bytes of body");
  }
  alarm(seconds + GRACE_S);
  epoll = epoll_create1(0);
  struct pair *pairs = join_pairs(pair_count, SENDER, RECEIVER, &server);
  struct pair *floods = join_pairs(flood_count, FLOODER, stalled ? STALLED : DRAINED, &server);
  for (int i = 0; i < pair_count; i++) prepare(&pairs[i], body_length, window);
  for (int i = 0; i < flood_count; i++) prepare(&floods[i], FLOOD_BODY, FLOOD_BURST);

  started = now();
  uint64_t time, ends = started + seconds * 1e9;
  if (flood_count) flood_starts = started + seconds * 1e9 / 4;
  for (int i = 0; i < pair_count; i++) post(&pairs[i], window, started);
  struct epoll_event events[EVENTS];
  while ((time = now()) < ends) {
    if (flood_count) flood(floods, flood_count, time);
    int count = epoll_wait(epoll, events, EVENTS, flood_count ? 1 : 50);
    for (int i = 0; i < count; i++) on_event(events[i].data.ptr, events[i].events);
  }
  // What is still in flight is at least this late: a server that hangs must not look quick.
  for (int i = 0; i < pair_count * window; i++) record(time - pairs[i / window].posted_at, time);
  report((now() - started) / 1e9, floods, flood_count, stalled);
  return 0;
}

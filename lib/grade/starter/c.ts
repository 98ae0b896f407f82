// The starter kit in C, for POSIX systems.

import { headLines, type Kit, onMessage, onTyped, otherEnd } from "./kit.ts";

export function cFiles(kit: Kit): Record<string, string> {
  const server = { [`${kit.program}.c`]: kit.transport === "tcp" ? tcpServer(kit) : udpServer(kit) };
  return kit.both ? server : { ...server, "client.c": client(kit) };
}

// A backslash at the end of a line would take the next one into the comment.
const head = (kit: Kit, side: string, usage: string) =>
  headLines(kit, side, usage).map((line) => `// ${line.replace(/\\$/, "\\ .")}`.trimEnd()).join("\n");

const bind = (type: string) =>
  `    int on = 1;
    struct sockaddr_in address = { .sin_family = AF_INET };
    int listener = socket(AF_INET, ${type}, 0);
    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\\n", argv[0]);
        return 2;
    }
    address.sin_port = htons(atoi(argv[1]));
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *) &address, sizeof address) != 0) {
        perror("bind");
        return 1;
    }`;

const tcpServer = (kit: Kit) => {
  const other = otherEnd(kit);
  return `${head(kit, "server", `./${kit.program} PORT`)}

#include <netinet/in.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

// Serves one ${other} until it hangs up.
static void *serve(void *argument)
{
    int ${other} = (int) (intptr_t) argument;
    char buffer[4096];
    ssize_t count;

    while ((count = recv(${other}, buffer, sizeof buffer, 0)) > 0) {
        printf("got %zd bytes\\n", count);
        // TODO: collect what comes until a message is whole; it may be a piece of one, or several.
        // TODO: ${onMessage(kit, `send(${other}, ...), which may send less than all`)}
    }
    close(${other});
    return NULL;
}
${kit.typed ? keyboard(kit, other) : ""}
int main(int argc, char **argv)
{
${kit.typed ? "    pthread_t typing;\n" : ""}${bind("SOCK_STREAM")}
    listen(listener, 16);
    printf("listening on port %s\\n", argv[1]);
${kit.typed ? "    pthread_create(&typing, NULL, keyboard, NULL);\n" : ""}    for (;;) {
        pthread_t thread;
        int ${other} = accept(listener, NULL, NULL);
        if (${other} < 0)
            continue;
        if (pthread_create(&thread, NULL, serve, (void *) (intptr_t) ${other}) == 0)
            pthread_detach(thread);
        else
            close(${other});
    }
}
`;
};

const keyboard = (kit: Kit, other: string) => `
// Takes what is typed, while other threads wait for what comes.
static void *keyboard(void *argument)
{
    char line[4096];

    (void) argument;
    while (fgets(line, sizeof line, stdin) != NULL) {
        // TODO: ${onTyped(kit, `send(${other}, ...)`, "connect(...)")}
        printf("typed %s", line);
    }
    return NULL;
}
`;

const udpServer = (kit: Kit) =>
  `${head(kit, "server", "./server PORT")}

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

int main(int argc, char **argv)
{
    static char buffer[65535];
${bind("SOCK_DGRAM")}
    printf("listening on port %s\\n", argv[1]);
    for (;;) {
        struct sockaddr_in from;
        socklen_t length = sizeof from;
        ssize_t count = recvfrom(listener, buffer, sizeof buffer, 0, (struct sockaddr *) &from, &length);
        if (count < 0)
            continue;
        printf("got %zd bytes\\n", count);
        // TODO: understand it, and answer with sendto(listener, ..., (struct sockaddr *) &from, length).
    }
}
`;

const client = (kit: Kit) =>
  `${head(kit, "client", "./client HOST PORT")}

#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    struct addrinfo hints = { .ai_socktype = ${kit.transport === "tcp" ? "SOCK_STREAM" : "SOCK_DGRAM"} }, *found;
    static char buffer[${kit.transport === "tcp" ? 4096 : 65535}];
    int server;

    if (argc != 3 || getaddrinfo(argv[1], argv[2], &hints, &found) != 0) {
        fprintf(stderr, "usage: %s HOST PORT\\n", argv[0]);
        return 2;
    }
    server = socket(found->ai_family, found->ai_socktype, found->ai_protocol);
    if (connect(server, found->ai_addr, found->ai_addrlen) != 0) {
        perror("connect");
        return 1;
    }
    for (;;) {
        // Whichever comes first: a line that is typed, or what the server says.
        struct pollfd either[] = { { .fd = 0, .events = POLLIN }, { .fd = server, .events = POLLIN } };
        ssize_t count;
        if (poll(either, 2, -1) < 0)
            return 1;
        if (either[1].revents != 0) {
            if ((count = recv(server, buffer, sizeof buffer, 0)) <= 0)
                return 0;
            // TODO: ${
    kit.transport === "tcp" ? "collect what comes until a message is whole" : "understand it"
  }, and show what it means.
            printf("got %zd bytes\\n", count);
        }
        if (either[0].revents != 0) {
            if ((count = read(0, buffer, sizeof buffer)) <= 0)
                return 0;
            // TODO: make a message of each line, and send it with send(server, ...).
            printf("typed %zd bytes\\n", count);
        }
    }
}
`;

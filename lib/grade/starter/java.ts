// The starter kit in Java.

import { capital, headLines, type Kit, onMessage, onTyped, otherEnd } from "./kit.ts";

export function javaFiles(kit: Kit): Record<string, string> {
  const name = `${capital(kit.program)}.java`;
  const server = { [name]: kit.transport === "tcp" ? tcpServer(kit) : udpServer(kit) };
  return kit.both ? server : { ...server, "Client.java": client(kit) };
}

// A backslash and a u begin a character in Java, in comments, too.
const head = (kit: Kit, side: string, usage: string) =>
  headLines(kit, side, usage).map((line) => `// ${line.replaceAll("\\u", "\\ u")}`.trimEnd()).join("\n");

const tcpServer = (kit: Kit) => {
  const other = otherEnd(kit);
  const name = capital(kit.program);
  return `${head(kit, "server", `java ${name} PORT`)}

${kit.typed ? "import java.io.BufferedReader;\n" : ""}import java.io.IOException;
import java.io.InputStream;
${kit.typed ? "import java.io.InputStreamReader;\n" : ""}import java.net.ServerSocket;
import java.net.Socket;
${kit.typed ? "import java.nio.charset.StandardCharsets;\n" : ""}import java.util.Arrays;

public class ${name} {
    /** Serves one ${other} until it hangs up. */
    static void serve(Socket ${other}) {
        try (${other}) {
            InputStream in = ${other}.getInputStream();
            byte[] buffer = new byte[4096];
            for (int count; (count = in.read(buffer)) != -1;) {
                System.out.println("got " + Arrays.toString(Arrays.copyOf(buffer, count)));
                // TODO: collect what comes until a message is whole; it may be a piece of one, or several.
                // TODO: ${onMessage(kit, `${other}.getOutputStream().write(...)`)}
            }
        } catch (IOException error) {
            System.err.println(error.getMessage());
        }
    }
${kit.typed ? keyboard(kit, other) : ""}
    public static void main(String[] args) throws IOException {
        try (ServerSocket listener = new ServerSocket(Integer.parseInt(args[0]))) {
            System.out.println("listening on port " + args[0]);
${kit.typed ? `            new Thread(${name}::keyboard).start();\n` : ""}            while (true) {
                Socket ${other} = listener.accept();
                new Thread(() -> serve(${other})).start();
            }
        }
    }
}
`;
};

const keyboard = (kit: Kit, other: string) => `
    /** Takes what is typed, while other threads wait for what comes. */
    static void keyboard() {
        try {
            BufferedReader keyboard = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
            for (String line; (line = keyboard.readLine()) != null;) {
                // TODO: ${onTyped(kit, `${other}.getOutputStream().write(...)`, "new Socket(host, port)")}
                System.out.println("typed " + line);
            }
        } catch (IOException error) {
            System.err.println(error.getMessage());
        }
    }
`;

const udpServer = (kit: Kit) =>
  `${head(kit, "server", "java Server PORT")}

import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.util.Arrays;

public class Server {
    public static void main(String[] args) throws IOException {
        try (DatagramSocket server = new DatagramSocket(Integer.parseInt(args[0]))) {
            System.out.println("listening on port " + args[0]);
            while (true) {
                DatagramPacket packet = new DatagramPacket(new byte[65535], 65535);
                server.receive(packet);
                byte[] data = Arrays.copyOf(packet.getData(), packet.getLength());
                System.out.println("got " + Arrays.toString(data) + " from " + packet.getSocketAddress());
                // TODO: understand it, and answer with
                // server.send(new DatagramPacket(..., ..., packet.getSocketAddress())).
            }
        }
    }
}
`;

const client = (kit: Kit) =>
  `${head(kit, "client", "java Client HOST PORT")}

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
${
    kit.transport === "tcp"
      ? "import java.io.InputStream;\nimport java.net.Socket;"
      : "import java.net.DatagramPacket;\nimport java.net.DatagramSocket;\nimport java.net.InetAddress;"
  }

public class Client {
    /** Shows what the server says, while the other thread waits for what is typed. */
    static void listen(${kit.transport === "tcp" ? "Socket server" : "DatagramSocket server"}) {
        try {
${
    kit.transport === "tcp"
      ? `            InputStream in = server.getInputStream();
            byte[] buffer = new byte[4096];
            for (int count; (count = in.read(buffer)) != -1;) {
                // TODO: collect what comes until a message is whole, and show what it means.
                System.out.println("got " + Arrays.toString(Arrays.copyOf(buffer, count)));
            }`
      : `            while (true) {
                DatagramPacket packet = new DatagramPacket(new byte[65535], 65535);
                server.receive(packet);
                // TODO: understand it, and show what it means.
                System.out.println("got " + Arrays.toString(Arrays.copyOf(packet.getData(), packet.getLength())));
            }`
  }
        } catch (IOException error) {
            System.err.println(error.getMessage());
        }
    }

    public static void main(String[] args) throws IOException {
${
    kit.transport === "tcp"
      ? `        Socket server = new Socket(args[0], Integer.parseInt(args[1]));`
      : `        DatagramSocket server = new DatagramSocket();
        server.connect(InetAddress.getByName(args[0]), Integer.parseInt(args[1]));`
  }
        Thread listener = new Thread(() -> listen(server));
        listener.setDaemon(true);
        listener.start();
        BufferedReader keyboard = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line; (line = keyboard.readLine()) != null;) {
            // TODO: make a message of the line, and send it with server.${
    kit.transport === "tcp" ? "getOutputStream().write(...)" : "send(...)"
  }.
            System.out.println("typed " + line);
        }
    }
}
`;

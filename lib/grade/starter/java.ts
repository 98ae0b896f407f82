// The starter kit in Java.

import type { Kit } from "./mod.ts";

export function javaFiles(kit: Kit): Record<string, string> {
  return { "Server.java": kit.transport === "tcp" ? tcpServer(kit) : udpServer(kit), "Client.java": client(kit) };
}

// A backslash and a u begin a character in Java, in comments, too.
const head = ({ name, wire }: Kit, side: string, usage: string) =>
  [`The ${side} of ${name}.`, "", `Usage: ${usage}`, "", ...wire]
    .map((line) => `// ${line.replaceAll("\\u", "\\ u")}`.trimEnd()).join("\n");

const tcpServer = (kit: Kit) =>
  `${head(kit, "server", "java Server PORT")}

import java.io.IOException;
import java.io.InputStream;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Arrays;

public class Server {
    /** Serves one client until it hangs up. */
    static void serve(Socket client) {
        try (client) {
            InputStream in = client.getInputStream();
            byte[] buffer = new byte[4096];
            for (int count; (count = in.read(buffer)) != -1;) {
                System.out.println("got " + Arrays.toString(Arrays.copyOf(buffer, count)));
                // TODO: collect what comes until a message is whole; it may be a piece of one, or several.
                // TODO: understand it, and answer with client.getOutputStream().write(...).
            }
        } catch (IOException error) {
            System.err.println(error.getMessage());
        }
    }

    public static void main(String[] args) throws IOException {
        try (ServerSocket listener = new ServerSocket(Integer.parseInt(args[0]))) {
            System.out.println("listening on port " + args[0]);
            while (true) {
                Socket client = listener.accept();
                new Thread(() -> serve(client)).start();
            }
        }
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

import { createServer, type IncomingMessage } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** What came for a person: by which way, and the text as it came. */
export interface ReceivedAlert {
  /** The path of an HTTP request, or `mail`. */
  readonly via: string;
  readonly text: string;
  /** Unix ms. */
  readonly at: number;
}

/** Stands for Slack, Discord, PagerDuty (by paths) and a mail server, and keeps what it is sent. */
export interface AlertReceiver {
  readonly url: string;
  /** `host:port` that takes mail. */
  readonly smarthost: string;
  readonly received: readonly ReceivedAlert[];
  close(): Promise<void>;
}

export async function receiveAlerts(): Promise<AlertReceiver> {
  const received: ReceivedAlert[] = [];
  const keep = (via: string, text: string): void => {
    received.push({ via, text, at: Date.now() });
  };
  const web = createServer((request, response) => {
    void bodyOf(request).then((text) => {
      keep(request.url ?? '', text);
      // PagerDuty wants 202 and JSON, Slack any 2xx.
      response.writeHead(202, { 'content-type': 'application/json' }).end('{"status":"success"}');
    });
  });
  const mail = createTcpServer((socket) => takeMail(socket, (text) => keep('mail', text)));
  const [webPort, mailPort] = await Promise.all([listen(web), listen(mail)]);
  return {
    url: `http://127.0.0.1:${webPort}`,
    smarthost: `127.0.0.1:${mailPort}`,
    received,
    async close() {
      web.closeAllConnections();
      await Promise.all([web, mail].map((server) => new Promise((resolve) => server.close(resolve))));
    },
  };
}

/** As much of SMTP (RFC 5321) as it takes to be given a message. */
function takeMail(socket: Socket, keep: (text: string) => void): void {
  const say = (line: string): void => void socket.write(`${line}\r\n`);
  let buffer = '';
  let inData = false;
  socket.on('error', () => {});
  say('220 test ESMTP');
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    buffer += chunk;
    for (;;) {
      const end = buffer.indexOf(inData ? '\r\n.\r\n' : '\r\n');
      if (end < 0) return;
      const text = buffer.slice(0, end);
      buffer = buffer.slice(end + (inData ? 5 : 2));
      if (inData) {
        keep(text);
        say('250 kept');
        inData = false;
      } else {
        const verb = text.slice(0, 4).toUpperCase();
        if (verb === 'DATA') {
          inData = true;
          say('354 go on');
        } else if (verb === 'QUIT') {
          say('221 bye');
          socket.end();
        } else say('250 fine');
      }
    }
  });
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

import { createServer, type AddressInfo } from 'node:net';

/** Ports of 127.0.0.1 that were free at the same moment. */
export async function freePorts(count: number): Promise<number[]> {
  const probes = Array.from({ length: count }, () => createServer());
  await Promise.all(
    probes.map(
      (probe) => new Promise<void>((resolve, reject) => probe.once('error', reject).listen(0, '127.0.0.1', resolve)),
    ),
  );
  const ports = probes.map((probe) => (probe.address() as AddressInfo).port);
  await Promise.all(probes.map((probe) => new Promise((resolve) => probe.close(resolve))));
  return ports;
}

export async function freePort(): Promise<number> {
  const [port] = await freePorts(1);
  if (port === undefined) throw new Error('no free port on 127.0.0.1');
  return port;
}

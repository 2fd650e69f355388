/** A port on the tests' own loopback that leads to a port on the loopback of a network namespace. */
import { spawn } from 'node:child_process'
import { createServer } from 'node:net'

/** Listens on a free port and carries every connection into the namespace with socat's little brother: a Node process there. What comes in parts goes on in parts, at once. */
export async function forwardInto(namespace: string, port: number): Promise<number> {
  const relay = `
    const net = require('node:net');
    const socket = net.connect({ port: ${port}, host: '127.0.0.1', noDelay: true }, () => { process.stdin.pipe(socket); socket.pipe(process.stdout); });
    socket.on('error', () => process.exit(1)); socket.on('close', () => process.exit(0));`
  const server = createServer({ noDelay: true }, (connection) => {
    const child = spawn('nsenter', [`--net=/run/netns/${namespace}`, process.execPath, '-e', relay], { stdio: ['pipe', 'pipe', 'inherit'] })
    connection.pipe(child.stdin)
    child.stdout.pipe(connection)
    connection.on('close', () => child.kill())
    connection.on('error', () => child.kill())
    child.stdin.on('error', () => connection.destroy())
  })
  server.unref()
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port)))
}

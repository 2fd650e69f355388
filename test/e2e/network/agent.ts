/** Runs inside a network namespace and does what the test asks over IPC: serve, connect, resolve. */
import { createSocket } from 'node:dgram'
import { connect, createServer } from 'node:net'
import { Resolver } from 'node:dns/promises'

export type Task =
  /** Answers on TCP and UDP with `<name> <address of the client>`. */
  | { readonly op: 'serve'; readonly port: number; readonly name: string }
  | { readonly op: 'tcp' | 'udp'; readonly host: string; readonly port: number; readonly from?: number }
  | { readonly op: 'dns'; readonly server: string; readonly name: string; readonly type: 'A' | 'SRV' | 'CNAME' | 'PTR' | 'TXT' | 'AAAA' }

const timeout = 1200

function serve(port: number, name: string): Promise<string> {
  const udp = createSocket('udp4')
  udp.on('message', (_, from) => udp.send(`${name} ${from.address}`, from.port, from.address))
  const tcp = createServer((socket) => {
    socket.on('error', () => socket.destroy())
    socket.end(`${name} ${socket.remoteAddress?.replace('::ffff:', '')}`)
  })
  return new Promise((resolve) => udp.bind(port, () => tcp.listen(port, () => resolve('serving'))))
}

const overTcp = (host: string, port: number) => new Promise<string>((resolve) => {
  let text = ''
  const socket = connect({ host, port })
  socket.setTimeout(timeout, () => { resolve('timeout'); socket.destroy() })
  socket.on('data', (chunk) => { text += chunk })
  socket.once('end', () => { resolve(text); socket.destroy() })
  socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
})

const overUdp = (host: string, port: number, from = 0) => new Promise<string>((resolve) => {
  const socket = createSocket({ type: 'udp4', reuseAddr: true })
  const done = (text: string) => { clearTimeout(timer); socket.close(); resolve(text) }
  const timer = setTimeout(() => done('timeout'), timeout)
  socket.once('message', (bytes) => done(bytes.toString()))
  socket.once('error', (error: NodeJS.ErrnoException) => done(error.code ?? error.message))
  socket.bind(from, () => socket.connect(port, host, () => socket.send('x')))
})

async function dns(server: string, name: string, type: string): Promise<unknown> {
  const resolver = new Resolver({ timeout: 6000, tries: 1 })
  resolver.setServers([server])
  return resolver.resolve(name, type).catch((error: NodeJS.ErrnoException) => error.code)
}

function perform(task: Task): Promise<unknown> {
  if (task.op === 'serve') return serve(task.port, task.name)
  if (task.op === 'dns') return dns(task.server, task.name, task.type)
  return task.op === 'tcp' ? overTcp(task.host, task.port) : overUdp(task.host, task.port, task.from)
}

process.on('message', ({ id, task }: { id: number; task: Task }) => void perform(task).then((result) => process.send?.({ id, result })))
process.on('disconnect', () => process.exit(0))
process.send?.({ id: 0, result: 'ready' })

/** A raw connection of HTTP/1.1 over TLS: one request after the other, nothing parsed but where answers end. */
import { connect, type TLSSocket } from 'node:tls'

/** Resolves when TLS is agreed on. */
export function dial(url: string): Promise<TLSSocket> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port), rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] }, () => resolve(socket))
    socket.setNoDelay(true)
    socket.once('error', reject)
  })
}

function isWhole(text: string): boolean {
  const head = text.indexOf('\r\n\r\n')
  if (head < 0) return false
  const length = /\r\ncontent-length: (\d+)/i.exec(text)?.[1]
  return length === undefined ? text.endsWith('\r\n0\r\n\r\n') : text.length >= head + 4 + Number(length)
}

/** Sends a request and takes its answer. Rejects when that is none of success. */
export function exchange(socket: TLSSocket, request: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let text = ''
    socket.on('data', function take(chunk: Buffer) {
      text += chunk.toString('latin1')
      if (!isWhole(text)) return
      socket.off('data', take)
      if (text.startsWith('HTTP/1.1 2')) resolve()
      else reject(new Error(text.slice(0, 500)))
    })
    socket.write(request)
  })
}

/** Of times in ascending order, the one that so large a part is not above. */
export const quantile = (times: readonly number[], part: number): number => times[Math.min(times.length - 1, Math.floor(times.length * part))] ?? NaN

/** The body of a request, whole, up to a limit. */
import { badRequest, tooLarge } from '../../machinery/errors.ts'
import type { ApiRequest } from './request.ts'

/** What Kubernetes takes, and etcd with it. */
export const bodyLimit = 3 * 1024 * 1024

const sayTooLarge = () => tooLarge(`Request entity too large: limit is ${bodyLimit}`)

const nothing = Buffer.alloc(0)

/** Reads the body. Throws `ApiError` 413 when it is larger than 3 MiB, 400 when it breaks off. */
export function readBody({ raw }: Pick<ApiRequest, 'raw'>): Promise<Buffer> {
  const announced = Number(raw.headers['content-length'] ?? 0)
  if (announced > bodyLimit) return Promise.reject(sayTooLarge())
  // Nothing was announced, or all of it was read: no event will come.
  if (raw.readableEnded) return Promise.resolve(nothing)
  const broken = () => badRequest('unable to read the request body: unexpected EOF')
  // A client that left before anybody read: no event would ever come.
  if (raw.destroyed) return Promise.reject(broken())
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    raw.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size <= bodyLimit) return void chunks.push(chunk)
      raw.pause()
      reject(sayTooLarge())
    })
    raw.on('end', () => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)))
    raw.on('error', (error: Error) => reject(badRequest(`unable to read the request body: ${error.message}`)))
    raw.on('close', () => void (raw.readableEnded || reject(broken())))
  })
}

/** A file as an answer: whole, in the parts that were asked for, or not at all when the client has it already (RFC 9110, sections 13 and 14). */
import type { FileHandle } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'

export interface FileFacts { readonly type: string; readonly size: number; readonly modified: Date }

/** Bytes `start` up to and with `end`. */
interface Part { readonly start: number; readonly end: number }

/**
 * Answers a GET or HEAD with `file`, as far as it is long now: what is written to it meanwhile is not sent. Times are compared by the second,
 * as headers say them. The caller closes the file.
 */
export async function sendFile(file: FileHandle, { type, size, modified }: FileFacts, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { headers } = request
  const second = Math.floor(modified.getTime() / 1000) * 1000
  const time = (value: string | undefined): number => Date.parse(value ?? '')
  const dated = { 'last-modified': modified.toUTCString() }
  // Without entity tags, a condition on them is: whatever there is (*), or none of them.
  if (headers['if-match'] === undefined ? second > time(headers['if-unmodified-since']) : headers['if-match'] !== '*') return void response.writeHead(412, dated).end()
  if (headers['if-none-match'] === undefined ? second <= time(headers['if-modified-since']) : headers['if-none-match'] === '*') return void response.writeHead(304, dated).end()

  const condition = headers['if-range'] as string | undefined
  const asked = size > 0 && (condition === undefined || time(condition) === second) ? headers.range : undefined
  const parts = asked === undefined ? undefined : partsOf(asked, size)
  if (parts === 'none' || parts === 'malformed') {
    const range: Record<string, string> = parts === 'none' ? { 'content-range': `bytes */${size}` } : {}
    return void response.writeHead(416, { 'content-type': 'text/plain; charset=utf-8', ...range }).end(parts === 'none' ? 'invalid range: failed to overlap\n' : 'invalid range\n')
  }
  const common = { ...dated, 'accept-ranges': 'bytes' }
  const send = async (code: number, more: Record<string, string | number>, pieces: readonly (string | Part)[]): Promise<void> => {
    response.writeHead(code, { ...common, ...more, 'content-length': pieces.reduce((sum, piece) => sum + lengthOf(piece), 0) })
    if (request.method === 'HEAD') response.end()
    else await pipeline(bytesOf(file, pieces), response).catch(unlessLeft)
  }
  if (!parts) return send(200, { 'content-type': type }, size === 0 ? [] : [{ start: 0, end: size - 1 }])
  const place = ({ start, end }: Part) => `bytes ${start}-${end}/${size}`
  if (parts.length === 1) return send(206, { 'content-type': type, 'content-range': place(parts[0]!) }, parts)
  const boundary = `part-${size}-${second}`
  const pieces = parts.flatMap((part, i) => [`${i === 0 ? '' : '\r\n'}--${boundary}\r\nContent-Range: ${place(part)}\r\nContent-Type: ${type}\r\n\r\n`, part])
  return send(206, { 'content-type': `multipart/byteranges; boundary=${boundary}` }, [...pieces, `\r\n--${boundary}--\r\n`])
}

/**
 * What a Range header asks for; undefined when that is the whole file, or more in all than it has (then parts are no use); `none` when nothing
 * of it is in the file.
 */
function partsOf(header: string, size: number): readonly Part[] | 'none' | 'malformed' | undefined {
  if (!header.startsWith('bytes=')) return 'malformed'
  const parts: Part[] = []
  let outside = false
  for (const text of header.slice('bytes='.length).split(',').map((t) => t.trim()).filter((t) => t !== '')) {
    const [, first = '', last = ''] = /^(\d*)\s*-\s*(\d*)$/.exec(text) ?? []
    if (first === '' && last === '') return 'malformed'
    const start = first === '' ? Math.max(0, size - Number(last)) : Number(first)
    const end = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1)
    if (first !== '' && last !== '' && Number(last) < start) return 'malformed'
    if (start >= size) outside = true
    else parts.push({ start, end })
  }
  if (parts.length === 0) return outside ? 'none' : undefined
  return parts.reduce((sum, part) => sum + lengthOf(part), 0) > size ? undefined : parts
}

const lengthOf = (piece: string | Part): number => (typeof piece === 'string' ? Buffer.byteLength(piece) : piece.end - piece.start + 1)

async function* bytesOf(file: FileHandle, pieces: readonly (string | Part)[]): AsyncGenerator<string | Buffer> {
  for (const piece of pieces) {
    if (typeof piece === 'string') yield piece
    else yield* file.createReadStream({ ...piece, autoClose: false }) as AsyncIterable<Buffer>
  }
}

/** A client that has left before the end is no error of anybody's. */
function unlessLeft(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error
}

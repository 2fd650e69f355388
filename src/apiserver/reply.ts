/** Ready-made answers: bytes that were encoded once, sent compressed and only when the client does not have them yet. */
import type { ServerResponse } from 'node:http'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { ApiRequest, ApiResponse } from './http/request.ts'

export interface Document {
  readonly body: Buffer
  readonly contentType: string
  /** With its quotes. */
  readonly etag?: string
  readonly vary?: string
}

/** Bodies smaller than this are sent as they are, as Kubernetes does. */
const compressFrom = 128 * 1024
const compress = promisify(gzip)
const compressed = new WeakMap<Document, Promise<Buffer>>()

/** Sends a document: 304 when the client's `If-None-Match` names it, gzip for large ones where the client takes it. */
export async function sendDocument(request: Pick<ApiRequest, 'headers'>, response: ApiResponse, document: Document, cacheControl = 'public'): Promise<void> {
  const headers: Record<string, string> = { 'cache-control': cacheControl }
  if (document.etag) headers['etag'] = document.etag
  if (document.vary) headers['vary'] = document.vary
  const known = request.headers['if-none-match']
  if (document.etag && known && known.split(',').some((tag) => tag.trim().replace(/^W\//, '') === document.etag)) {
    write(response, 304, headers)
    return
  }
  headers['content-type'] = document.contentType
  let body = document.body
  if (body.length >= compressFrom && /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''))) {
    let smaller = compressed.get(document)
    if (!smaller) compressed.set(document, (smaller = compress(body)))
    body = await smaller
    headers['content-encoding'] = 'gzip'
    headers['vary'] = [document.vary, 'Accept-Encoding'].filter(Boolean).join(', ')
  }
  write(response, 200, headers, body)
}

/** Sends a text. */
export function sendText(response: ApiResponse, code: number, text: string, contentType = 'text/plain; charset=utf-8', headers: Record<string, string> = {}): void {
  write(response, code, { 'content-type': contentType, ...headers }, Buffer.from(text))
}

/** Sends a value as JSON. */
export function sendJson(response: ApiResponse, code: number, value: unknown, contentType = 'application/json', headers: Readonly<Record<string, string>> = {}): void {
  write(response, code, { ...headers, 'content-type': contentType }, Buffer.from(`${JSON.stringify(value)}\n`))
}

function write(response: ApiResponse, code: number, headers: Record<string, string>, body?: Buffer): void {
  const http = response as ServerResponse
  http.writeHead(code, { ...headers, ...(body ? { 'content-length': String(body.length) } : {}) })
  http.end(body)
}

/** For tests of handlers: one request, without a socket. */
import { Writable } from 'node:stream'
import type { Identity } from '../identity.ts'
import { parseRequestInfo } from '../http/request-info.ts'
import type { ApiRequest, ApiResponse, Handler } from '../http/request.ts'

export interface Answer<T> { readonly code: number; readonly headers: Record<string, unknown>; readonly text: string; readonly json: T }

/** Sends a request to a handler, with GET unless said otherwise. Rejects with what the handler throws. */
export async function ask<T = unknown>(handler: Handler, url: string, headers: Record<string, string> = {}, user: Identity = { name: 'tester', groups: [] }, method = 'GET'): Promise<Answer<T>> {
  const { pathname, searchParams } = new URL(url, 'http://test')
  const chunks: Buffer[] = []
  let code = 0
  let sent: Record<string, unknown> = {}
  const response = Object.assign(new Writable({ write: (chunk: Buffer, _, done) => (chunks.push(Buffer.from(chunk)), done()) }), {
    flushHeaders() {},
    writeHead(status: number, fields: Record<string, unknown> = {}) {
      code = status
      sent = fields
      return response
    },
  })
  const request = { info: parseRequestInfo(method, pathname, searchParams), method, query: searchParams, headers, user, raw: {}, signal: new AbortController().signal }
  await handler(request as unknown as ApiRequest, response as unknown as ApiResponse)
  const text = Buffer.concat(chunks).toString('utf8')
  return { code, headers: sent, text, get json() { return JSON.parse(text) as T } }
}

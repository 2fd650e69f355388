import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer, request, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { serveHostLogs } from './host-logs.ts'

const place = mkdtempSync(join(tmpdir(), 'skiff-host-logs-'))
const root = join(place, 'log')
const server = createServer((asked, response) => void serveHostLogs(root, asked, response, new URL(asked.url!, 'http://x').pathname))
beforeAll(async () => {
  mkdirSync(join(root, 'apt'), { recursive: true })
  writeFileSync(join(place, 'secret'), 'secret')
  writeFileSync(join(root, 'syslog'), 'one\ntwo\n')
  writeFileSync(join(root, 'apt', 'a <b>.log'), '')
  writeFileSync(join(root, 'wtmp'), Buffer.from([1, 0, 2]))
  symlinkSync('syslog', join(root, 'messages'))
  symlinkSync('../secret', join(root, 'out'))
  symlinkSync('..', join(root, 'up'))
  execFileSync('mkfifo', [join(root, 'pipe')])
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
})
afterAll(() => {
  server.close()
  rmSync(place, { recursive: true, force: true })
})

interface Answer { readonly code: number; readonly type: string; readonly location: string; readonly text: string; readonly headers: IncomingHttpHeaders }
const ask = (path: string, method = 'GET', headers: Record<string, string> = {}) => new Promise<Answer>((resolve, reject) => {
  request({ port: (server.address() as AddressInfo).port, path, method, headers }, (response) => {
    let text = ''
    response.setEncoding('utf8').on('data', (part: string) => void (text += part))
    response.on('end', () => resolve({ code: response.statusCode!, type: response.headers['content-type'] ?? '', location: response.headers.location ?? '', text, headers: response.headers }))
  }).on('error', reject).end()
})

it('lists directories, with links that lead on', async () => {
  const { code, type, text } = await ask('/logs/')
  expect([code, type]).toEqual([200, 'text/html; charset=utf-8'])
  expect(text).toContain('<pre>\n<a href="apt/">apt/</a>\n<a href="messages">messages</a>\n')
  expect((await ask('/logs/apt/')).text).toContain('<a href="a%20%3Cb%3E.log">a &lt;b&gt;.log</a>')
  expect(await ask('/logs/apt')).toMatchObject({ code: 301, location: 'apt/' })
  expect(await ask('/logs')).toMatchObject({ code: 301, location: 'logs/' })
})

it('shows files, through links among them', async () => {
  expect(await ask('/logs/syslog')).toMatchObject({ code: 200, type: 'text/plain; charset=utf-8', text: 'one\ntwo\n' })
  expect(await ask('/logs/messages')).toMatchObject({ code: 200, text: 'one\ntwo\n' })
  expect(await ask('/logs/apt/a%20%3Cb%3E.log')).toMatchObject({ code: 200, text: '' })
  expect(await ask('/logs/wtmp')).toMatchObject({ code: 200, type: 'application/octet-stream' })
  expect(await ask('/logs/syslog/')).toMatchObject({ code: 301, location: '../syslog' })
  expect(await ask('/logs/syslog', 'HEAD')).toMatchObject({ code: 200, text: '' })
})

it.each(['/logs/nothing', '/logs/out', '/logs/up/secret', '/logs/up/', '/logs/%2e%2e/secret', '/logs/..%2fsecret', '/logs/%2fetc/hostname', '/logs/a%00b', '/logs/%zz', '/logs/pipe'])('has nothing at %s', async (path) => {
  expect(await ask(path)).toMatchObject({ code: 404, text: '404 page not found\n' })
})

describe('a part of a file', () => {
  const part = (range: string, more: Record<string, string> = {}) => ask('/logs/syslog', 'GET', { range, ...more })

  it.each([['bytes=0-2', 'one', '0-2'], ['bytes=4-', 'two\n', '4-7'], ['bytes=-4', 'two\n', '4-7'], ['bytes=6-99', 'o\n', '6-7'], ['bytes=-99', 'one\ntwo\n', '0-7']])('%s', async (range, text, place) => {
    expect(await part(range)).toMatchObject({ code: 206, type: 'text/plain; charset=utf-8', text, headers: { 'content-range': `bytes ${place}/8`, 'content-length': String(text.length), 'accept-ranges': 'bytes' } })
  })

  it('comes with others in one answer', async () => {
    const { code, type, text, headers } = await part('bytes=0-0, 4-6')
    const boundary = /^multipart\/byteranges; boundary=(\S+)$/.exec(type)?.[1]
    const head = (place: string) => `--${boundary}\r\nContent-Range: bytes ${place}/8\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n`
    expect([code, text]).toEqual([206, `${head('0-0')}o\r\n${head('4-6')}two\r\n--${boundary}--\r\n`])
    expect(headers['content-length']).toBe(String(text.length))
  })

  it('is the whole when more than that is asked for, or the file is another by now', async () => {
    expect(await part('bytes=0-7,0-7')).toMatchObject({ code: 200, text: 'one\ntwo\n' })
    expect(await part('bytes=0-2', { 'if-range': new Date(0).toUTCString() })).toMatchObject({ code: 200, text: 'one\ntwo\n' })
    expect(await part('bytes=0-2', { 'if-range': (await ask('/logs/syslog')).headers['last-modified']! })).toMatchObject({ code: 206, text: 'one' })
    expect(await ask('/logs/apt/a%20%3Cb%3E.log', 'GET', { range: 'bytes=0-5' })).toMatchObject({ code: 200, text: '' })
  })

  it('is refused where the file has none', async () => {
    expect(await part('bytes=8-')).toMatchObject({ code: 416, text: 'invalid range: failed to overlap\n', headers: { 'content-range': 'bytes */8' } })
    for (const wrong of ['bytes=2-1', 'bytes=a-b', 'bytes=-', 'lines=1-2']) expect(await part(wrong), wrong).toMatchObject({ code: 416, text: 'invalid range\n' })
  })
})

it('sends a file again only when it is another', async () => {
  const { headers } = await ask('/logs/syslog')
  const modified = headers['last-modified']!
  expect(await ask('/logs/syslog', 'GET', { 'if-modified-since': modified })).toMatchObject({ code: 304, text: '', headers: { 'last-modified': modified } })
  expect(await ask('/logs/syslog', 'GET', { 'if-modified-since': new Date(0).toUTCString() })).toMatchObject({ code: 200 })
  expect(await ask('/logs/syslog', 'GET', { 'if-modified-since': 'yesterday' })).toMatchObject({ code: 200 })
  expect(await ask('/logs/syslog', 'GET', { 'if-unmodified-since': new Date(0).toUTCString() })).toMatchObject({ code: 412 })
  expect(await ask('/logs/syslog', 'GET', { 'if-unmodified-since': modified })).toMatchObject({ code: 200 })
  expect(await ask('/logs/syslog', 'GET', { 'if-none-match': '*' })).toMatchObject({ code: 304 })
  expect(await ask('/logs/syslog', 'GET', { 'if-none-match': '"x"', 'if-modified-since': modified })).toMatchObject({ code: 200 })
  expect(await ask('/logs/syslog', 'GET', { 'if-match': '"x"' })).toMatchObject({ code: 412 })
})

it('is only read', async () => {
  expect((await ask('/logs/syslog', 'POST')).code).toBe(405)
})

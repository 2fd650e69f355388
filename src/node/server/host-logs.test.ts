import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
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

const ask = (path: string, method = 'GET') => new Promise<{ readonly code: number; readonly type: string; readonly location: string; readonly text: string }>((resolve, reject) => {
  request({ port: (server.address() as AddressInfo).port, path, method }, (response) => {
    let text = ''
    response.setEncoding('utf8').on('data', (part: string) => void (text += part))
    response.on('end', () => resolve({ code: response.statusCode!, type: response.headers['content-type'] ?? '', location: response.headers.location ?? '', text }))
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

it('is only read', async () => {
  expect((await ask('/logs/syslog', 'POST')).code).toBe(405)
})

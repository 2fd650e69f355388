import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { gunzipSync, gzipSync } from 'node:zlib'
import { array, assert, asyncProperty, constantFrom, integer, oneof, string } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { behindProxy, rewriteLink } from './links.ts'

const place = { prefix: '/api/v1/namespaces/x/services/y/proxy', hosts: ['10.0.0.9:80', 'localhost:8001'] }
const through = async (html: string | Buffer, headers: Record<string, string> = { 'content-type': 'text/html; charset=utf-8' }, size = 7) => {
  const bytes = Buffer.from(html)
  const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size))
  const answer = Readable.from(chunks)
  const mended = behindProxy(headers, answer as never, place)
  return { headers: mended.headers, body: await buffer(mended.body ?? answer) }
}

describe('a link', () => {
  it.each([
    ['/login?next=1', `${place.prefix}/login?next=1`],
    ['/', `${place.prefix}/`],
    ['http://10.0.0.9:80/a/', `${place.prefix}/a/`],
    ['http://localhost:8001/a', `${place.prefix}/a`],
    ['//10.0.0.9:80', `${place.prefix}/`],
    [`${place.prefix}/there`, `${place.prefix}/there`],
    ['https://example.com/', 'https://example.com/'],
    ['//example.com/x', '//example.com/x'],
    ['next/page', 'next/page'],
    ['#top', '#top'],
    ['mailto:a@b', 'mailto:a@b'],
    ['', ''],
  ])('%s becomes %s', (link, rewritten) => expect(rewriteLink(link, place)).toBe(rewritten))

  it('in a redirect is rewritten, and the body then left alone', async () => {
    const { headers, body } = await through('<a href="/x">', { 'content-type': 'text/html', location: '/x' })
    expect([headers, body.toString()]).toEqual([{ 'content-type': 'text/html', location: `${place.prefix}/x` }, '<a href="/x">'])
  })
})

describe('a page', () => {
  it('leads to the proxy wherever it led to the target', async () => {
    const { headers, body } = await through(
      `<!DOCTYPE html><html><head><link rel=stylesheet href=/a.css><script src='/a.js'>if (a < b) x = '<a href="/no">'</script></head>
<!-- <a href="/no"> --><body data-href="/no"><a class="b" href="/a?x=1&amp;y=2">ä</a><img alt="a > b" src="/i.png"/><form action = "/go"><p href="/no">1 < 2</p></body>`,
      { 'content-type': 'text/html; charset=utf-8', 'content-length': '999', 'x-own': '1' })
    const p = place.prefix
    expect(body.toString()).toBe(
      `<!DOCTYPE html><html><head><link rel=stylesheet href=${p}/a.css><script src='${p}/a.js'>if (a < b) x = '<a href="/no">'</script></head>
<!-- <a href="/no"> --><body data-href="/no"><a class="b" href="${p}/a?x=1&amp;y=2">ä</a><img alt="a > b" src="${p}/i.png"/><form action = "${p}/go"><p href="/no">1 < 2</p></body>`)
    expect(headers).toEqual({ 'content-type': 'text/html; charset=utf-8', 'x-own': '1' })
  })

  it('that is compressed stays so', async () => {
    const { body } = await through(gzipSync('<a href="/x">'), { 'content-type': 'text/html', 'content-encoding': 'gzip' })
    expect(gunzipSync(body).toString()).toBe(`<a href="${place.prefix}/x">`)
  })

  it('in a form nobody here reads, and what is no page, passes as it is', async () => {
    for (const headers of [{ 'content-type': 'text/html', 'content-encoding': 'br' }, { 'content-type': 'application/json', 'content-length': '13' }] as Record<string, string>[]) {
      expect(await through('<a href="/x">', headers)).toEqual({ headers, body: Buffer.from('<a href="/x">') })
    }
  })

  it('without links passes byte for byte, however it is cut and whatever is in it', async () => {
    await assert(asyncProperty(
      array(oneof(constantFrom('<', '>', '"', "'", '<!--', '-->', '<script>', '</script>', '<p ', '</', '=', 'ä', '<style'), string()), { maxLength: 30 }),
      integer({ min: 1, max: 9 }),
      async (parts, size) => void expect((await through(parts.join(''), undefined, size)).body.toString()).toBe(parts.join('')),
    ), { numRuns: 200 })
  })
})

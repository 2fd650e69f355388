/** Pages behind a proxy: links within the target must lead through the proxy again, in redirects and in HTML. */
import { Transform, type Readable } from 'node:stream'
import { createDeflate, createGunzip, createGzip, createInflate } from 'node:zlib'
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http'
import type { Mended } from './forward.ts'

export interface ProxiedPlace {
  /** The path of the proxy, without a slash at its end: `/api/v1/namespaces/x/services/y/proxy`. */
  readonly prefix: string
  /** `address:port` of the target, and the host the client asked for: both mean the target. */
  readonly hosts: readonly string[]
}

/**
 * A link of the target as clients of the proxy must see it. Links to other hosts and relative ones stay; those that begin at
 * the target's root begin at the proxy.
 */
export function rewriteLink(link: string, { prefix, hosts }: ProxiedPlace): string {
  const absolute = /^(?:[a-z][a-z0-9+.-]*:)?\/\/([^/?#]*)(.*)$/is.exec(link)
  if (absolute && !hosts.includes(absolute[1] as string)) return link
  if (!absolute && !link.startsWith('/')) return link
  const path = absolute ? (absolute[2] as string) : link
  if (path.startsWith(prefix)) return path
  return `${prefix}${path.startsWith('/') ? path : `/${path}`}`
}

/** Attributes that hold a link, by element. */
const linkAttributes: Readonly<Record<string, readonly string[]>> = {
  a: ['href'], applet: ['codebase'], area: ['href'], audio: ['src'], base: ['href'], blockquote: ['cite'], body: ['background'], button: ['formaction'], command: ['icon'],
  del: ['cite'], embed: ['src'], form: ['action'], frame: ['longdesc', 'src'], head: ['profile'], html: ['manifest'], iframe: ['longdesc', 'src'],
  img: ['longdesc', 'src', 'usemap'], input: ['src', 'usemap', 'formaction'], ins: ['cite'], link: ['href'], object: ['classid', 'codebase', 'data', 'usemap'], q: ['cite'],
  script: ['src'], source: ['src'], video: ['poster', 'src'],
}
/** Elements whose content is text, whatever it looks like. */
const rawText = /^(?:script|style|textarea|title|xmp|iframe|noembed|noframes)$/

/** An element's opening tag with its links rewritten. */
function rewriteTag(tag: string, place: ProxiedPlace): string {
  const name = /^<([a-z][a-z0-9-]*)/i.exec(tag)?.[1]?.toLowerCase() ?? ''
  const attributes = linkAttributes[name]
  if (!attributes) return tag
  return tag.replace(/(\s)([a-z-]+)(\s*=\s*)(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))/gi, (all, space: string, attribute: string, equals: string, double?: string, single?: string, bare?: string) => {
    if (!attributes.includes(attribute.toLowerCase())) return all
    const quote = double !== undefined ? '"' : single !== undefined ? "'" : ''
    return `${space}${attribute}${equals}${quote}${rewriteLink((double ?? single ?? bare ?? ''), place)}${quote}`
  })
}

/** Where the tag that begins at `from` ends (after its `>`); -1 when it is not there as a whole. Quoted `>` do not count. */
function endOfTag(html: string, from: number): number {
  let quote = ''
  for (let i = from + 1; i < html.length; i++) {
    const c = html[i] as string
    if (quote) {
      if (c === quote) quote = ''
    } else if (c === '"' || c === "'") quote = c
    else if (c === '>') return i + 1
  }
  return -1
}

/** A tag longer than this is none: what follows passes as it is. */
const longestTag = 64 * 1024

/** The state of reading: what was not understood yet, and the element whose text is being passed. */
interface Reading { rest: string; raw: string }

/** Rewrites what can be told from `reading.rest`; with `last` everything. */
function advance(reading: Reading, place: ProxiedPlace, last: boolean): string {
  const { rest } = reading
  let out = ''
  let at = 0
  const keep = (from: number): string => {
    reading.rest = last ? '' : rest.slice(from)
    return out + (last ? rest.slice(from) : '')
  }
  for (;;) {
    if (reading.raw) {
      const close = rest.toLowerCase().indexOf(`</${reading.raw}`, at)
      if (close < 0) {
        // A part of the closing tag may stand at the end.
        const safe = Math.max(at, rest.length - reading.raw.length - 2)
        out += rest.slice(at, safe)
        return keep(safe)
      }
      out += rest.slice(at, close)
      at = close
      reading.raw = ''
    }
    const open = rest.indexOf('<', at)
    if (open < 0) return (out += rest.slice(at)), keep(rest.length)
    out += rest.slice(at, open)
    const comment = rest.startsWith('<!--', open)
    const closed = comment ? rest.indexOf('-->', open + 4) : -1
    const end = comment ? (closed < 0 ? -1 : closed + 3) : endOfTag(rest, open)
    if (end < 0) {
      if (rest.length - open <= longestTag) return keep(open)
      return (out += rest.slice(open)), keep(rest.length)
    }
    const tag = rest.slice(open, end)
    out += comment ? tag : rewriteTag(tag, place)
    const name = /^<([a-z]+)/i.exec(tag)?.[1]?.toLowerCase() ?? ''
    if (rawText.test(name) && !tag.endsWith('/>')) reading.raw = name
    at = end
  }
}

/** HTML with its links rewritten, as it streams by. Bytes outside of links pass untouched, whatever their encoding. */
function rewriteHtml(place: ProxiedPlace): Transform {
  const reading: Reading = { rest: '', raw: '' }
  return new Transform({
    transform(chunk: Buffer, _, done) {
      reading.rest += chunk.toString('latin1')
      done(null, Buffer.from(advance(reading, place, false), 'latin1'))
    },
    flush(done) {
      done(null, Buffer.from(advance(reading, place, true), 'latin1'))
    },
  })
}

const codecs: Readonly<Record<string, () => readonly [Transform, Transform]>> = {
  gzip: () => [createGunzip(), createGzip()],
  deflate: () => [createInflate(), createDeflate()],
}

/** An answer's headers and body with everything in them that leads back to the target leading to the proxy. */
export function behindProxy(headers: OutgoingHttpHeaders, answer: Readable & Pick<IncomingMessage, 'statusCode'>, place: ProxiedPlace): Mended {
  const { location } = headers
  if (typeof location === 'string') return { headers: { ...headers, location: rewriteLink(location, place) } }
  const type = String(headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase()
  const encoding = String(headers['content-encoding'] ?? '').trim().toLowerCase()
  const codec = codecs[encoding]
  // What is compressed in another way is passed as it is: its links lead nowhere, its text can be read.
  if (type !== 'text/html' || (encoding !== '' && !codec)) return { headers }
  const { 'content-length': _, ...rest } = headers
  const [decode, encode] = codec?.() ?? []
  const steps = [decode, rewriteHtml(place), encode].filter((step) => step !== undefined)
  return { headers: rest, body: chain(answer, steps) }
}

/** One stream after the other; an error of one ends all. */
function chain(source: Readable, steps: readonly Transform[]): Readable {
  return steps.reduce((from: Readable, to) => {
    from.on('error', (error: Error) => to.destroy(error))
    to.on('close', () => from.destroy())
    return from.pipe(to)
  }, source)
}

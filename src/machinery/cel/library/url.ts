/** Kubernetes's URLs: absolute ones, and absolute paths. */
import { fail } from '../errors.ts'
import { fn, method, traverse, type FunctionDeclaration } from '../functions.ts'
import { BOOL, STRING, listOf, mapOf, opaque } from '../types.ts'
import { Boxed, CelList, HashMap, type CelValue } from '../values.ts'

const type = opaque('kubernetes.URL')

class UrlValue extends Boxed {
  readonly typeName = 'kubernetes.URL'
  readonly text: string
  readonly scheme: string
  /** With the port. */
  readonly host: string
  readonly path: string
  readonly query: string
  constructor(text: string, scheme: string, host: string, path: string, query: string) {
    super()
    this.text = text
    this.scheme = scheme
    this.host = host
    this.path = path
    this.query = query
  }
  override equals(other: UrlValue): boolean { return this.text === other.text }
  get hostname(): string { return this.host.replace(/:\d*$/, '').replace(/^\[(.*)\]$/, '$1') }
  get port(): string { return /:(\d*)$/.exec(this.host)?.[1] ?? '' }
}

// eslint-disable-next-line no-control-regex
const forbidden = /[\u0000-\u001f\u007f]/
const badEscape = /%(?![0-9a-fA-F]{2})/

/** A request URI as Go parses one; a sentence when it is none. */
function parse(text: string): UrlValue | string {
  const wrong = (why: string) => `parse ${JSON.stringify(text)}: ${why}`
  if (text === '') return wrong('empty url')
  if (forbidden.test(text)) return wrong('net/url: invalid control character in URL')
  const scheme = /^([a-zA-Z][a-zA-Z0-9+.-]*):/.exec(text)?.[1]
  if (text.startsWith(':')) return wrong('missing protocol scheme')
  const rest = scheme === undefined ? text : text.slice(scheme.length + 1)
  if (!rest.startsWith('/') && (scheme === undefined || rest === '' || rest.startsWith('?'))) return wrong('invalid URI for request')
  const [, beforeQuery = '', query = ''] = /^([^?]*)\??(.*)$/s.exec(rest) as RegExpExecArray
  if (badEscape.test(beforeQuery)) return wrong(`invalid URL escape ${JSON.stringify(beforeQuery.slice(beforeQuery.search(badEscape), beforeQuery.search(badEscape) + 3))}`)
  if (!rest.startsWith('/')) return new UrlValue(text, (scheme ?? '').toLowerCase(), '', '', query)
  if (scheme === undefined || !rest.startsWith('//')) return new UrlValue(text, (scheme ?? '').toLowerCase(), '', beforeQuery, query)
  const [, authority = '', path = ''] = /^\/\/([^/]*)(.*)$/s.exec(beforeQuery) as RegExpExecArray
  const host = authority.slice(authority.lastIndexOf('@') + 1)
  if (host.startsWith('[') && !host.includes(']')) return wrong('missing \']\' in host')
  if (host.includes(' ')) return wrong('invalid character " " in host name')
  if (!/^(?:\[[0-9a-fA-F:.%a-zA-Z0-9]*\]|[^:[\]<>"\\^`{|}]*)(?::\d*)?$/.test(host)) return wrong(/:[^:]*$/.test(host) ? `invalid port ${JSON.stringify(/:[^:]*$/.exec(host)?.[0])} after host` : 'invalid character in host name')
  return new UrlValue(text, scheme.toLowerCase(), decode(host), path, query)
}

/** What is wrong with a request URI, in Go's words; undefined when it is one. */
export const urlError = (text: string): string | undefined => {
  const found = parse(text)
  return typeof found === 'string' ? found : undefined
}

const decode = (text: string): string => text.replaceAll(/(?:%[0-9a-fA-F]{2})+/g, (found) => Buffer.from(found.replaceAll('%', ''), 'hex').toString('utf8'))

/** The path with what has to be escaped, escaped. */
const escapedPath = ({ path }: UrlValue): string =>
  path.replaceAll(/[^A-Za-z0-9$&+,/:;=@\-_.~!'()*[\]%]/gu, (c) => [...Buffer.from(c)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''))

function queryOf({ query }: UrlValue): HashMap {
  const found = new Map<string, [CelValue, string[]]>()
  for (const pair of query.split('&')) {
    if (pair === '' || pair.includes(';') || badEscape.test(pair)) continue
    const [, name = '', value = ''] = /^([^=]*)=?(.*)$/s.exec(pair) as RegExpExecArray
    const key = decode(name.replaceAll('+', ' '))
    const entry = found.get(key) ?? [key, []]
    entry[1].push(decode(value.replaceAll('+', ' ')))
    found.set(key, entry)
  }
  return new HashMap(new Map([...found].map(([key, [name, values]]): [string, [CelValue, CelValue]] => [key, [name, new CelList(values)]])))
}

export const urls: readonly FunctionDeclaration[] = [
  fn('url', 'string_to_url', [STRING], type, (text: string) => {
    const found = parse(text)
    return typeof found === 'string' ? fail(`URL parse error during conversion from string: ${found}`) : found
  }, traverse()),
  fn('isURL', 'is_url_string', [STRING], BOOL, (text: string) => typeof parse(text) !== 'string'),
  method('getScheme', 'url_get_scheme', [type], STRING, (url: UrlValue) => url.scheme),
  method('getHost', 'url_get_host', [type], STRING, (url: UrlValue) => url.host),
  method('getHostname', 'url_get_hostname', [type], STRING, (url: UrlValue) => url.hostname),
  method('getPort', 'url_get_port', [type], STRING, (url: UrlValue) => url.port),
  method('getEscapedPath', 'url_get_escaped_path', [type], STRING, escapedPath),
  method('getQuery', 'url_get_query', [type], mapOf(listOf(STRING)), queryOf),
]

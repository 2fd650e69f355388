/** What the path and the method of a request say. */
import { badRequest } from '../../machinery/errors.ts'
import type { RequestInfo } from './request.ts'

const verbs: Readonly<Record<string, string>> = { GET: 'get', HEAD: 'get', POST: 'create', PUT: 'update', PATCH: 'patch', DELETE: 'delete' }
/** What may follow a namespace's name and still be about the namespace itself. */
const ofNamespaces = new Set(['status', 'finalize'])

/** A switch in a query, as Kubernetes reads it: there, and neither `false` nor `0` in any spelling (Python sends `True`). */
export const isTrue = (text: string | null): boolean => text !== null && text !== '0' && text.toLowerCase() !== 'false'

/** The parts of a path, without empty ones, decoded. Throws `ApiError` 400 for a broken escape. */
function partsOf(path: string): string[] {
  const parts: string[] = []
  for (let from = 0; from < path.length;) {
    const slash = path.indexOf('/', from)
    const to = slash < 0 ? path.length : slash
    if (to > from) parts.push(path.slice(from, to))
    from = to + 1
  }
  if (!path.includes('%')) return parts
  try {
    return parts.map(decodeURIComponent)
  } catch {
    throw badRequest(`invalid URL escape in ${JSON.stringify(path)}`)
  }
}

/** What is no name must not be taken for one: with a slash in it, it would be the path of something else. Throws `ApiError` 400. */
function checkSegment(what: string, name: string): void {
  const why = name === '.' || name === '..' ? `may not be '${name}'` : /[/%]/.exec(name)?.map((c) => `may not contain '${c}'`)[0]
  if (why !== undefined) throw badRequest(`${what} parameter invalid: ${JSON.stringify(name)}: ${why}`)
}

const other = (path: string, method: string): RequestInfo => ({
  path, isResourceRequest: false, verb: method.toLowerCase(), group: '', version: '', namespace: '', resource: '', subresource: '', name: '', rest: '',
})

/** The name in `fieldSelector=metadata.name=x`: authorization by name covers lists and watches of one object. */
export function selectedName(fieldSelector: string): string {
  const match = /(?:^|,)metadata\.name==?([^,=\\]+)(?:,|$)/.exec(fieldSelector)
  return match?.[1] ?? ''
}

const streams = new Set(['exec', 'attach', 'portforward', 'log', 'proxy'])
/** A connection to a pod, a service or a node: open for as long as its sides like. */
export const isStream = ({ subresource, isResourceRequest }: RequestInfo): boolean => isResourceRequest && streams.has(subresource)
/** Watches and streams: no limits of time or number hold for them. */
export const isLongRunning = (info: RequestInfo): boolean => (info.isResourceRequest && info.verb === 'watch') || isStream(info)

/** The verb that the method, a missing name and the query make together. */
function verbOf(method: string, name: string, query: URLSearchParams, watching: boolean): string {
  const verb = verbs[method] ?? method.toLowerCase()
  if (watching && verb === 'get') return 'watch'
  if (name !== '') return verb
  if (verb === 'get') return isTrue(query.get('watch')) ? 'watch' : 'list'
  return verb === 'delete' ? 'deletecollection' : verb
}

/**
 * Takes a path apart: `/api/v1/namespaces/x/pods/y/log`, `/apis/apps/v1/deployments`, the old `/api/v1/watch/…`.
 * Throws `ApiError` 400 when it cannot be read.
 */
export function parseRequestInfo(method: string, path: string, query: URLSearchParams): RequestInfo {
  const parts = partsOf(path)
  const core = parts[0] === 'api'
  let at = core ? 2 : 3
  if ((!core && parts[0] !== 'apis') || parts.length <= at) return other(path, method)
  const group = core ? '' : parts[1]!
  const version = parts[at - 1]!
  const watching = parts[at] === 'watch' && parts.length > at + 1
  if (watching) at++
  let namespace = ''
  if (parts[at] === 'namespaces' && parts.length > at + 1) {
    namespace = parts[at + 1]!
    // /namespaces/x, /namespaces/x/status: the namespace itself; anything else is in it.
    if (parts.length > at + 2 && !ofNamespaces.has(parts[at + 2]!)) at += 2
  }
  const resource = parts[at]!
  const name = parts[at + 1] ?? ''
  if (path.includes('%') || path.includes('/.')) {
    checkSegment('Namespace', namespace)
    checkSegment('Name', name)
  }
  const verb = verbOf(method, name, query, watching)
  const selecting = query.size > 0 && (verb === 'list' || verb === 'watch' || verb === 'deletecollection')
  return {
    path,
    isResourceRequest: true,
    verb,
    group,
    version,
    namespace,
    resource,
    name: name || (selecting ? selectedName(query.get('fieldSelector') ?? '') : ''),
    subresource: parts[at + 2] ?? '',
    rest: parts.length > at + 3 ? restOf(path, at + 3) : '',
    fieldSelector: selecting ? (query.get('fieldSelector') ?? undefined) : undefined,
    labelSelector: selecting ? (query.get('labelSelector') ?? undefined) : undefined,
  }
}

/** The path after its first `count` parts, as it was sent. */
function restOf(path: string, count: number): string {
  let from = 0
  for (let i = 0; i <= count; i++) from = path.indexOf('/', from) + 1
  return path.slice(from)
}

/**
 * What other servers say that they serve. Asked for in the background, kept, and put into this server's discovery documents:
 * a client never waits for a slow server, and what a server that is down said last stays, marked as stale.
 */
import type { Fetched } from './fetch.ts'

/** One resource in the aggregated form (`apidiscovery.k8s.io` APIResourceDiscovery). */
export type DiscoveredResource = Readonly<Record<string, unknown>>

/** What is said of one group version. */
export interface Discovered {
  readonly resources: readonly DiscoveredResource[]
  readonly freshness: 'Current' | 'Stale'
}

const aggregatedV2 = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'
const aggregatedBeta = 'application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList'
/** Newer servers answer with everything at once, older ones with a list of groups. */
const acceptDiscovery = `${aggregatedV2},${aggregatedBeta},application/json`

type Json = Readonly<Record<string, unknown>>
const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)
const objects = (value: unknown): readonly Json[] => (Array.isArray(value) ? value.filter(isObject) : [])
const text = (value: unknown): string => (typeof value === 'string' ? value : '')
const texts = (value: unknown): readonly string[] => (Array.isArray(value) ? value.filter((v) => typeof v === 'string') : [])

/** Reads JSON. Throws an `Error` that says what came instead. */
function parse({ code, body }: Fetched, what: string): Json {
  if (code !== 200) throw new Error(`${what}: the server answered with status ${code}`)
  const value: unknown = JSON.parse(body.toString('utf8'))
  if (!isObject(value)) throw new Error(`${what}: the answer is no object`)
  return value
}

const isAggregated = ({ headers }: Fetched): boolean => /;\s*as=APIGroupDiscoveryList/.test(headers['content-type'] ?? '')

/**
 * The resources of a group version, by GETs of the other server: `/apis` in the aggregated form, or else the group
 * version's own list. Rejects when neither can be understood. Fields nobody knows are dropped, wrong ones left out.
 */
export async function discover(get: (path: string, accept: string) => Promise<Fetched>, group: string, version: string): Promise<readonly DiscoveredResource[]> {
  const all = await get('/apis', acceptDiscovery)
  if (all.code === 200 && isAggregated(all)) {
    const item = objects(parse(all, '/apis')['items']).find((g) => text(isObject(g['metadata']) ? g['metadata']['name'] : '') === group)
    const found = objects(item?.['versions']).find((v) => text(v['version']) === version)
    return objects(found?.['resources']).map(resourceOf).filter((r) => r !== undefined)
  }
  const path = `/apis/${group}/${version}`
  return fromList(objects(parse(await get(path, 'application/json'), path)['resources']), group, version)
}

const kindOf = (value: unknown): Json => (isObject(value) ? { group: text(value['group']), version: text(value['version']), kind: text(value['kind']) } : { group: '', version: '', kind: '' })

function resourceOf(r: Json): DiscoveredResource | undefined {
  const resource = text(r['resource'])
  if (!resource) return undefined
  const optional = (name: string) => (texts(r[name]).length > 0 ? { [name]: texts(r[name]) } : {})
  const subresources = objects(r['subresources']).filter((s) => text(s['subresource'])).map((s) => ({ subresource: text(s['subresource']), responseKind: kindOf(s['responseKind']), verbs: texts(s['verbs']) }))
  return {
    resource, responseKind: kindOf(r['responseKind']), scope: r['scope'] === 'Namespaced' ? 'Namespaced' : 'Cluster', singularResource: text(r['singularResource']),
    verbs: texts(r['verbs']), ...optional('shortNames'), ...optional('categories'), ...(subresources.length > 0 ? { subresources } : {}),
  }
}

/** The aggregated form of an `APIResourceList`'s resources. */
function fromList(list: readonly Json[], group: string, version: string): readonly DiscoveredResource[] {
  const kind = (r: Json) => ({ group: text(r['group']) || group, version: text(r['version']) || version, kind: text(r['kind']) })
  const subresourcesOf = (name: string) => list
    .filter((r) => text(r['name']).startsWith(`${name}/`))
    .map((r) => ({ subresource: text(r['name']).slice(name.length + 1), responseKind: kind(r), verbs: texts(r['verbs']) }))
  return list.filter((r) => text(r['name']) && !text(r['name']).includes('/')).map((r) => resourceOf({
    resource: r['name'], responseKind: kind(r), scope: r['namespaced'] === true ? 'Namespaced' : 'Cluster', singularResource: r['singularName'],
    verbs: r['verbs'], shortNames: r['shortNames'], categories: r['categories'], subresources: subresourcesOf(text(r['name'])),
  })).filter((r) => r !== undefined)
}

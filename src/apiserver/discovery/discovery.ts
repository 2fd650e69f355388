/** Answers `/api`, `/apis` and what lies between them and the resources. Documents are made on first request and kept as bytes. */
import { createHash } from 'node:crypto'
import { apidiscovery, declared, meta, type Resource, type StructType } from '../../api/index.ts'
import type { ApiObject } from '../../client/client.ts'
import { methodNotAllowed, unknownResource } from '../../machinery/errors.ts'
import type { RemoteVersion } from '../aggregation/aggregator.ts'
import { encodeAny } from '../encoding/encode.ts'
import { contentTypes, formatOf, medias, type Media } from '../encoding/negotiate.ts'
import type { Handler } from '../http/request.ts'
import { noSuchPage } from '../http/respond.ts'
import { aggregated, apiGroup, apiGroupList, apiVersions, resourceList } from './documents.ts'
import { groupsOf, type GroupEntry } from './groups.ts'
import { sendDocument, type Document } from '../reply.ts'

export interface DiscoveryOptions {
  /** What is served now. A new array means that something changed. */
  readonly resources: () => readonly Resource[]
  /** What other servers serve; a new array means that something changed. */
  readonly remote?: () => readonly RemoteVersion[]
  /** `host:port` under which the server is reached. */
  readonly serverAddress: () => string
}

/** In which bytes a document is sent, and whether it is the aggregated one. */
interface Form { readonly media: Media; readonly aggregated: boolean }

/** What is served is only told: nothing else can be done with it. */
const readMethods = new Set(['GET', 'HEAD'])

/** A handler for every discovery path; 404 for groups and versions that are not served, 405 for methods that do not read. */
export function createDiscovery(options: DiscoveryOptions): Handler {
  let seen: readonly Resource[] | undefined
  let seenRemote: readonly RemoteVersion[] | undefined
  let groups: readonly GroupEntry[] = []
  let documents = new Map<string, Document>()
  return async (request, response) => {
    if (!readMethods.has(request.method)) throw methodNotAllowed()
    const resources = options.resources()
    const remote = options.remote?.()
    if (resources !== seen || remote !== seenRemote) {
      seen = resources
      seenRemote = remote
      groups = groupsOf(resources, remote)
      documents = new Map()
    }
    const path = request.info.path.replace(/\/+$/, '')
    const isRoot = path === '/api' || path === '/apis'
    const content = isRoot ? undefined : build(path, groups, options.serverAddress())
    const form = acceptedForm(request.headers.accept, isRoot)
    const key = `${form.media} ${form.aggregated} ${path}`
    let document = documents.get(key)
    if (!document) {
      document = form.aggregated ? encodeAggregated(groups.filter((group) => (group.name === '') === (path === '/api')), form.media) : encodePlain(content ?? build(path, groups, options.serverAddress()), form.media)
      documents.set(key, document)
    }
    await sendDocument(request, response, document, form.aggregated ? 'public' : 'no-cache, private')
  }
}

const aggregatedAs = 'g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'

/** What the client takes: the aggregated form where it takes that too (roots have it), whatever it likes better. Throws `ApiError` 406. */
function acceptedForm(accept: string | undefined, isRoot: boolean): Form {
  const clauses = (accept || '*/*').split(',').map((clause) => {
    const [type = '', ...parameters] = clause.split(';').map((part) => part.trim())
    return { type, parameters }
  })
  const whole = isRoot && clauses.find(({ type, parameters }) => type in medias && aggregatedAs.split(';').every((part) => parameters.includes(part)))
  if (whole) return { media: medias[whole.type] as Media, aggregated: true }
  const plain = clauses.filter(({ parameters }) => !parameters.some((part) => part.startsWith('as=')))
  return { media: formatOf(plain.map(({ type, parameters }) => [type, ...parameters].join(';')).join(',') || 'none/none').media, aggregated: false }
}

function build(path: string, groups: readonly GroupEntry[], serverAddress: string): ApiObject {
  if (path === '/api') return apiVersions(serverAddress)
  if (path === '/apis') return apiGroupList(groups)
  const [, prefix, ...parts] = path.split('/')
  const [name, version] = prefix === 'api' ? ['', parts[0]] : [parts[0] ?? '', parts[1]]
  const group = groups.find((g) => g.name === name)
  if (group && version === undefined) return apiGroup(group, true)
  const entry = group?.versions.find((v) => v.version === version)
  if (!entry) throw group?.versions.some((v) => v.resources.some((resource) => declared.includes(resource))) ? unknownResource() : noSuchPage()
  return resourceList(entry)
}

const types: Readonly<Record<string, StructType>> = { APIVersions: meta.APIVersions, APIGroupList: meta.APIGroupList, APIGroup: meta.APIGroup, APIResourceList: meta.APIResourceList }

/** `v1` is the group version of these everywhere, also where they do not say so. */
function encodePlain(value: ApiObject, media: Media): Document {
  if (media === 'json') return { body: Buffer.from(`${JSON.stringify(value)}\n`), contentType: contentTypes.json }
  const type = types[value.kind] as StructType<ApiObject>
  return { body: encodeAny({ ...value, apiVersion: value.apiVersion ?? 'v1' }, type, { format: { media, as: '' }, pretty: false, include: 'Metadata', now: 0 }), contentType: contentTypes[media] }
}

function encodeAggregated(groups: readonly GroupEntry[], media: Media): Document {
  const value = aggregated(groups)
  const body = encodeAny(value, apidiscovery.APIGroupDiscoveryList as unknown as StructType<ApiObject>, { format: { media, as: '' }, pretty: false, include: 'Metadata', now: 0 })
  return { body, contentType: `${contentTypes[media]};${aggregatedAs}`, etag: `"${createHash('sha512').update(body).digest('hex').toUpperCase()}"`, vary: 'Accept' }
}

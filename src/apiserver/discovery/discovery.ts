/** Answers `/api`, `/apis` and what lies between them and the resources. Documents are made on first request and kept as bytes. */
import { createHash } from 'node:crypto'
import type { Resource } from '../../api/index.ts'
import { ApiError, methodNotAllowed } from '../../machinery/errors.ts'
import type { RemoteVersion } from '../aggregation/aggregator.ts'
import type { Handler } from '../http/request.ts'
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

type Form = 'plain' | 'v2' | 'v2beta1'

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
    const form = path === '/api' || path === '/apis' ? acceptedForm(request.headers.accept) : 'plain'
    const key = `${form} ${path}`
    let document = documents.get(key)
    if (!document) {
      document = encode(build(path, form, groups, options.serverAddress()), form)
      documents.set(key, document)
    }
    await sendDocument(request, response, document)
  }
}

/** The first of the forms we speak in the client's `Accept`. */
function acceptedForm(accept: string | undefined): Form {
  for (const range of (accept ?? '').split(',')) {
    const [type, ...params] = range.split(';').map((p) => p.trim())
    if (type !== 'application/json') continue
    if (!params.includes('as=APIGroupDiscoveryList')) return 'plain'
    if (!params.includes('g=apidiscovery.k8s.io')) continue
    if (params.includes('v=v2')) return 'v2'
    if (params.includes('v=v2beta1')) return 'v2beta1'
  }
  return 'plain'
}

function build(path: string, form: Form, groups: readonly GroupEntry[], serverAddress: string): object {
  if (path === '/api') return form === 'plain' ? apiVersions(serverAddress) : aggregated(groups.filter((g) => g.name === ''), form)
  if (path === '/apis') return form === 'plain' ? apiGroupList(groups) : aggregated(groups.filter((g) => g.name !== ''), form)
  const [, prefix, ...parts] = path.split('/')
  const [name, version] = prefix === 'api' ? ['', parts[0]] : [parts[0] ?? '', parts[1]]
  const group = groups.find((g) => g.name === name)
  if (group && version === undefined) return apiGroup(group, true)
  const entry = group?.versions.find((v) => v.version === version)
  if (!entry) throw new ApiError(404, 'NotFound', 'the server could not find the requested resource')
  return resourceList(entry)
}

function encode(value: object, form: Form): Document {
  const body = Buffer.from(JSON.stringify(value))
  return {
    body,
    contentType: form === 'plain' ? 'application/json' : `application/json;g=apidiscovery.k8s.io;v=${form};as=APIGroupDiscoveryList`,
    etag: `"${createHash('sha512').update(body).digest('hex').toUpperCase()}"`,
    vary: 'Accept',
  }
}


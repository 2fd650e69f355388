/** Content negotiation: the Accept and Content-Type headers, parsed as Kubernetes does. */
import { notAcceptable, unsupportedMediaType } from '../../machinery/errors.ts'

export type Media = 'json' | 'yaml' | 'protobuf'
/** What the object is converted to; '' for the object itself. */
export type As = '' | 'Table' | 'PartialObjectMetadata' | 'PartialObjectMetadataList'

export interface Format {
  readonly media: Media
  readonly as: As
  /** The version of what the object is converted to; default `meta.k8s.io/v1`. */
  readonly version?: MetaVersion
}

export type MetaVersion = 'meta.k8s.io/v1' | 'meta.k8s.io/v1beta1'

export const contentTypes: Readonly<Record<Media, string>> = {
  json: 'application/json',
  yaml: 'application/yaml',
  protobuf: 'application/vnd.kubernetes.protobuf',
}

/** The media types of an Accept header. */
export const medias: Readonly<Record<string, Media>> = {
  'application/json': 'json',
  'application/yaml': 'yaml',
  'application/vnd.kubernetes.protobuf': 'protobuf',
  '*/*': 'json',
  'application/*': 'json',
}

const offered = 'application/json, application/yaml, application/vnd.kubernetes.protobuf'
const plain: Format = { media: 'json', as: '' }
const shapes: readonly string[] = ['Table', 'PartialObjectMetadata', 'PartialObjectMetadataList']
const versions: readonly MetaVersion[] = ['meta.k8s.io/v1', 'meta.k8s.io/v1beta1']

interface Clause { readonly format: Format | undefined; readonly q: number }

/** One clause of an Accept header; without a format if it is not offered. */
function clause(text: string): Clause {
  const [type = '', ...parameters] = text.split(';').map((part) => part.trim())
  const given = new Map(parameters.map((p) => [p.slice(0, p.indexOf('=')).toLowerCase(), p.slice(p.indexOf('=') + 1)]))
  const media = medias[type.toLowerCase()]
  const as = given.get('as') ?? ''
  const q = given.has('q') ? Number(given.get('q')) : 1
  if (!media || Number.isNaN(q) || q <= 0) return { format: undefined, q: 0 }
  if (as === '') return { format: { media, as: '' }, q }
  const version = versions.find((known) => known === `${given.get('g')}/${given.get('v')}`)
  const fits = version && shapes.includes(as) && !(as === 'Table' && media === 'protobuf')
  return { format: fits ? { media, as: as as As, version } : undefined, q }
}

/** Clients send the same few headers again and again: the parsed formats, by what was offered. */
const known: readonly Map<string, Format>[] = [new Map(), new Map(), new Map(), new Map()]

/**
 * The format a client accepts, by default JSON. `textOnly`: there is no protobuf for the object itself, as with custom kinds.
 * `noTable`: there is no table, as with reviews and actions. Throws `ApiError` 406 when the client accepts nothing that is offered.
 */
export function formatOf(accept: string | undefined, textOnly = false, noTable = false): Format {
  if (!accept) return plain
  const remembered = known[(textOnly ? 1 : 0) + (noTable ? 2 : 0)]!
  const before = remembered.get(accept)
  if (before) return before
  const isOffered = ({ media, as }: Format) => !(textOnly && media === 'protobuf' && as === '') && !(noTable && as === 'Table')
  const clauses = accept.split(',').map(clause).filter(({ format }) => format !== undefined && isOffered(format))
  const best = clauses.toSorted((a, b) => b.q - a.q)[0]?.format
  if (!best) throw notAcceptable(`only the following media types are accepted: ${offered}`)
  if (remembered.size < 1000 && accept.length < 200) remembered.set(accept, best)
  return best
}

/** The format of a request's body, by default JSON. `textOnly`: protobuf is not accepted. Throws `ApiError` 415. */
export function bodyMedia(contentType: string | undefined, textOnly = false): Media {
  if (!contentType) return 'json'
  const media = medias[contentType.split(';')[0]!.trim().toLowerCase()]
  if (!media || (textOnly && media === 'protobuf') || contentType.startsWith('*') || contentType.startsWith('application/*')) {
    throw unsupportedMediaType(`the body of the request was in an unknown format - accepted media types include: ${offered}`)
  }
  return media
}

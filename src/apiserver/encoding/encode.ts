/** Encodes objects and watch events in the format that the client accepts. */
import { meta, type Resource, type StructType } from '../../api/index.ts'
import type { ApiObject } from '../../client/client.ts'
import { notAcceptable } from '../../machinery/errors.ts'
import { decodeObject, parseExactly } from '../../machinery/json.ts'
import { encodeListOfMessages, encodeMessage, encodeWatchEvent, wrapUnknown } from '../../machinery/protobuf.ts'
import { formatYaml } from '../../machinery/yaml.ts'
import { Encoded } from '../cache/encoded.ts'
import type { EventType } from '../cache/watch.ts'
import type { CacheEvent } from '../cache/resource-cache.ts'
import type { Served } from '../registry/served.ts'
import type { Printer } from '../strategy.ts'
import type { Format } from './negotiate.ts'
import { partialMessage } from './lists.ts'
import { computedTable, markOf, partial, tableOfOne, type IncludeObject } from './table.ts'

export interface EncodeOptions {
  readonly format: Format
  readonly pretty: boolean
  readonly include: IncludeObject
  readonly now: number
}

const newline = Buffer.from('\n')

/** JSON text in the client's format: compact, indented, or as YAML. */
function text(json: string | Buffer, { format, pretty }: EncodeOptions): Buffer {
  if (format.media === 'yaml') return Buffer.from(formatYaml(parseExactly(json.toString())))
  if (pretty) return Buffer.from(`${JSON.stringify(parseExactly(json.toString()), null, 2)}\n`)
  return typeof json === 'string' ? Buffer.from(`${json}\n`) : Buffer.concat([json, newline])
}

/** Any object with kind and apiVersion: a `Status`, a review, a `Scale`. */
export function encodeAny(object: ApiObject, type: StructType<ApiObject>, options: EncodeOptions): Buffer {
  if (options.format.media !== 'protobuf') return text(JSON.stringify(object), options)
  const { kind, apiVersion } = object
  return Buffer.from(wrapUnknown(apiVersion, kind, encodeMessage(type, decodeObject(type, object).object)))
}

/** One stored object. */
export function encodeObject(served: Served, item: Encoded, options: EncodeOptions): Buffer {
  const { format } = options
  if (format.as === 'Table') return text(tableOfOne(served, item, { resourceVersion: item.object.metadata.resourceVersion }, { ...options, columns: true }), options)
  if (format.as === 'PartialObjectMetadataList') throw notAcceptable('you requested PartialObjectMetadataList, but the requested object is not a list')
  if (format.as === 'PartialObjectMetadata') return encodePartial(item.object, options)
  const view = served.view(item)
  if (format.media === 'json' && !options.pretty) return view.line()
  if (format.media !== 'protobuf') return text(view.json(), options)
  const { resource } = served
  return Buffer.from(wrapUnknown(resource.apiVersion, resource.kind, view.message(resource.type)))
}

function encodePartial(object: ApiObject, options: EncodeOptions): Buffer {
  const { format } = options
  if (format.media !== 'protobuf') return text(partial(object, format), options)
  return Buffer.from(wrapUnknown(format.version ?? 'meta.k8s.io/v1', 'PartialObjectMetadata', partialMessage(object, format)))
}

/** A table of computed objects. */
export const encodeComputedTable = (printer: Printer<ApiObject>, items: readonly ApiObject[], options: EncodeOptions, listMeta?: object): Buffer =>
  text(computedTable(printer, items, { ...options, columns: true }, listMeta), options)

/** A list of computed objects, which have no cache. */
export function encodeComputedList(resource: Resource, items: readonly ApiObject[], options: EncodeOptions): Buffer {
  const kind = `${resource.kind}List`
  if (options.format.media === 'protobuf') {
    return Buffer.from(wrapUnknown(resource.apiVersion, kind, encodeListOfMessages({}, items.map((item) => encodeMessage(resource.type, item)))))
  }
  return text(JSON.stringify({ kind, apiVersion: resource.apiVersion, metadata: {}, items }), options)
}

/** One frame of a protobuf watch: four bytes of length, then the event. */
function watchFrame(type: string, object: Uint8Array): Buffer {
  const event = encodeWatchEvent(type, object)
  const length = Buffer.allocUnsafe(4)
  length.writeUInt32BE(event.length)
  return Buffer.concat([length, event])
}

/** Frames of the change that is being sent: the next watcher most likely wants the same bytes. */
const shared: { change: CacheEvent | undefined; frames: Map<string, Frame> } = { change: undefined, frames: new Map() }

/** One encoded event, in one or several parts. */
export type Frame = readonly (Buffer | string)[]
/** The whole event as one buffer. */
export const bytesOf = (frame: Frame): Buffer => {
  const [only, ...others] = frame.map((part) => (typeof part === 'string' ? Buffer.from(part) : part))
  return others.length === 0 ? only! : Buffer.concat([only!, ...others])
}
export type EventEncoder = (type: EventType, item: Encoded, change: CacheEvent | undefined) => Frame

/** Encodes the events of one watch. */
export function eventEncoder(served: Served, options: EncodeOptions, now: () => number): EventEncoder {
  const { format } = options
  if (format.media === 'yaml') throw notAcceptable('only the following media types are accepted: application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch')
  if (format.as === 'Table') return tableEvents(served, options, now)
  const frame = frameOf(served, format)
  const id = `${served.resource.apiVersion}/${format.media}/${format.as}/${format.version}/`
  return (type, item, change) => {
    if (!change) return frame(type, item, false)
    if (shared.change !== change) {
      shared.change = change
      shared.frames = new Map()
    }
    let parts = shared.frames.get(id + type)
    if (!parts) shared.frames.set(id + type, (parts = [bytesOf(frame(type, item, true))]))
    return parts
  }
}

/** `keep`: cache the item's bytes, as others will ask for them too. */
function frameOf(served: Served, format: Format): (type: EventType, item: Encoded, keep: boolean) => Frame {
  const { resource } = served
  const partials = format.as !== ''
  if (format.media === 'protobuf') {
    const message = (view: Encoded, keep: boolean) => (keep ? view.message(resource.type) : view.keptMessage(resource.type))
    return (type, item, keep) => [watchFrame(type, partials
      ? wrapUnknown(format.version ?? 'meta.k8s.io/v1', 'PartialObjectMetadata', partialMessage(item.object, format))
      : wrapUnknown(resource.apiVersion, resource.kind, message(served.view(item), keep)))]
  }
  if (partials) return (type, item) => [Buffer.from(`{"type":"${type}","object":${partial(item.object, format)}}\n`)]
  return (type, item, keep) => {
    const view = served.view(item)
    return [frameHeads[type], keep || view.keptLine() ? view.json() : JSON.stringify(view.object), frameEnd]
  }
}
const frameHead = (type: EventType) => Buffer.from(`{"type":"${type}","object":`)
const frameHeads: Readonly<Record<EventType, Buffer>> = { ADDED: frameHead('ADDED'), MODIFIED: frameHead('MODIFIED'), DELETED: frameHead('DELETED'), BOOKMARK: frameHead('BOOKMARK') }
const frameEnd = Buffer.from('}\n')

/** Only the first table of a watch has columns. */
function tableEvents(served: Served, options: EncodeOptions, now: () => number) {
  let columns = true
  return (type: EventType, item: Encoded): Frame => {
    const object = type === 'BOOKMARK' ? markOf(served, item, { ...options, now: now(), columns }) : tableOfOne(served, item, { resourceVersion: item.object.metadata.resourceVersion }, { ...options, now: now(), columns })
    columns = false
    return [Buffer.from(`{"type":"${type}","object":${object}}\n`)]
  }
}

/** The event that ends a watch with an error. */
export function errorEvent(status: object, format: Format): Buffer {
  if (format.media !== 'protobuf') return Buffer.from(`{"type":"ERROR","object":${JSON.stringify(status)}}\n`)
  const type = meta.Status as unknown as StructType<ApiObject>
  return watchFrame('ERROR', wrapUnknown('v1', 'Status', encodeMessage(type, decodeObject(type, status).object)))
}

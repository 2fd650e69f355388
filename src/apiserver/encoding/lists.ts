/** Encodes lists of stored objects. They may be long: every format is written piece by piece, with pauses. */
import { meta, type StructType } from '../../api/index.ts'
import type { ApiObject } from '../../client/client.ts'
import { notAcceptable } from '../../machinery/errors.ts'
import { encodeMessage, envelopeOfList, headOfItem, sizeOfItem } from '../../machinery/protobuf.ts'
import type { Encoded } from '../cache/encoded.ts'
import type { ListResult } from '../cache/list.ts'
import type { Served } from '../registry/served.ts'
import type { EncodeOptions } from './encode.ts'
import type { Format } from './negotiate.ts'
import { eachPausing } from '../../machinery/pausing.ts'
import { formatYaml } from '../../machinery/yaml.ts'
import { longText, type LongBody, type TextForm } from './pieces.ts'
import { partial, tableDocument } from './table.ts'

const listMetaOf = ({ resourceVersion, continue: next, remaining }: ListResult): meta.ListMeta => ({
  resourceVersion,
  ...(next ? { continue: next } : {}),
  ...(remaining === undefined ? {} : { remainingItemCount: remaining }),
})

const formOf = ({ format, pretty }: EncodeOptions): TextForm => (format.media === 'yaml' ? 'yaml' : pretty ? 'pretty' : 'json')

const partialType = meta.PartialObjectMetadata as unknown as StructType<ApiObject>
/** The metadata of an object as `PartialObjectMetadata` in protobuf. */
export const partialMessage = (object: ApiObject, { version = 'meta.k8s.io/v1' }: Format): Uint8Array =>
  encodeMessage(partialType, { kind: 'PartialObjectMetadata', apiVersion: version, metadata: object.metadata })

/** A list of stored objects. */
export async function encodeList(served: Served, result: ListResult, options: EncodeOptions): Promise<LongBody> {
  const { format } = options
  const { resource } = served
  const { items } = result
  const metadata = listMetaOf(result)
  if (format.as === 'Table') return longText(tableDocument(served, items, metadata, { ...options, columns: true }), formOf(options))
  if (format.as === 'PartialObjectMetadata') throw notAcceptable('you requested PartialObjectMetadata, but the requested object is a list')
  const partials = format.as === 'PartialObjectMetadataList'
  const kind = partials ? 'PartialObjectMetadataList' : (resource.listKind ?? `${resource.kind}List`)
  const apiVersion = partials ? (format.version ?? 'meta.k8s.io/v1') : resource.apiVersion
  if (format.media === 'protobuf') {
    const partly = (item: Encoded) => partialMessage(item.object, format)
    if (partials) return enveloped(apiVersion, kind, metadata, { items, first: partly, again: partly })
    return enveloped(apiVersion, kind, metadata, { items, first: (item) => served.view(item).keptMessage(resource.type), again: (item) => served.view(item).newMessage(resource.type) })
  }
  // Lists of custom objects always have `continue`; lists of metadata do not.
  const frame = { kind, apiVersion, metadata: served.custom && !partials ? { ...metadata, continue: result.continue } : metadata }
  if (partials && items.length === 0) return noPartials(frame, formOf(options))
  if (partials) return longText({ frame, key: 'items', items, json: (item) => partial(item.object, format) }, formOf(options))
  const skip = skippedOf(served)
  const form = formOf(options)
  if (form !== 'json') return longText({ frame, key: 'items', items, json: (item) => `{${jsonOf(served.view(item)).slice(skip)}` }, form)
  return lines(`${JSON.stringify(frame).slice(0, -1)},"items":[`, served, items, skip)
}

/** An empty list of metadata: `items` is null. */
function noPartials(frame: object, form: TextForm): LongBody {
  const value = { ...frame, items: null }
  const text = form === 'yaml' ? formatYaml(value) : `${JSON.stringify(value, null, form === 'pretty' ? 2 : undefined)}\n`
  return { length: Buffer.byteLength(text), write: async (pieces) => pieces.text(text) }
}

/** Encodes items as protobuf messages. Those that are not cached are encoded twice, because their total length comes first. */
interface Messages {
  readonly items: readonly Encoded[]
  first(item: Encoded): Uint8Array
  again(item: Encoded): Uint8Array
}

async function enveloped(apiVersion: string, kind: string, metadata: meta.ListMeta, { items, first, again }: Messages): Promise<LongBody> {
  let size = 0
  await eachPausing(items, (item) => void (size += sizeOfItem(first(item))))
  const { head, tail } = envelopeOfList(apiVersion, kind, metadata, size)
  return {
    length: head.length + size + tail.length,
    async write(pieces) {
      pieces.bytes(head)
      await eachPausing(items, (item) => {
        const message = again(item)
        pieces.bytes(headOfItem(message))
        pieces.bytes(message)
        return pieces.next()
      })
      pieces.bytes(tail)
    },
  }
}

/** Items of built-in lists omit the kind. Items of custom lists have it, as Kubernetes does not know their types. */
const skippedOf = ({ custom, resource: { kind, apiVersion } }: Served): number => (custom ? 1 : `{"kind":"${kind}","apiVersion":"${apiVersion}",`.length)

const openBrace = 0x7b
const comma = 0x2c
const end = ']}\n'

function jsonOf(item: Encoded): string {
  const line = item.keptLine()
  return line ? line.toString('utf8', 0, line.length - 1) : JSON.stringify(item.object)
}

/** A list: its head, then the items, each without its first `skip` characters. */
function lines(head: string, served: Served, items: readonly Encoded[], skip: number): LongBody {
  return {
    length: lengthOfLines(served, items, skip, Buffer.byteLength(head) + end.length),
    async write(pieces) {
      pieces.text(head)
      let first = true
      await eachPausing(items, (item) => {
        if (!first) pieces.byte(comma)
        first = false
        pieces.byte(openBrace)
        const view = served.view(item)
        const line = view.keptLine()
        if (line) pieces.bytes(line, skip, line.length - 1)
        else pieces.text(JSON.stringify(view.object).slice(skip))
        return pieces.next()
      })
      pieces.text(end)
    },
  }
}

/** The total length; undefined unless every item's length is known. */
function lengthOfLines(served: Served, items: readonly Encoded[], skip: number, around: number): number | undefined {
  if (items.length > most) return undefined
  // A brace replaces what is skipped, and a comma the end of the line.
  let length = around + items.length * (1 - skip) - Math.min(1, items.length)
  for (const item of items) {
    const { keptBytes } = served.view(item)
    if (keptBytes === undefined) return undefined
    length += keptBytes
  }
  return length
}
/** Above this number of items, summing up the lengths would hold the event loop. */
const most = 20_000

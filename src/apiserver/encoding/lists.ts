/** Lists of stored objects to bytes. They may have any length: every form of them is made piece by piece, with pauses. */
import { meta, type StructType } from '../../api/index.ts'
import type { ApiObject } from '../../client/client.ts'
import { notAcceptable } from '../../machinery/errors.ts'
import { encodeMessage, envelopeOfList, headOfItem } from '../../machinery/protobuf.ts'
import type { Encoded } from '../cache/encoded.ts'
import type { ListResult } from '../cache/list.ts'
import type { Served } from '../registry/served.ts'
import type { EncodeOptions } from './encode.ts'
import { eachPausing, mapPausing } from './pausing.ts'
import { longText, Pieces, type TextForm } from './pieces.ts'
import { partial, tableDocument } from './table.ts'

const listMetaOf = ({ resourceVersion, continue: next, remaining }: ListResult): meta.ListMeta => ({
  resourceVersion,
  ...(next ? { continue: next } : {}),
  ...(remaining === undefined ? {} : { remainingItemCount: remaining }),
})

const formOf = ({ format, pretty }: EncodeOptions): TextForm => (format.media === 'yaml' ? 'yaml' : pretty ? 'pretty' : 'json')

const partialType = meta.PartialObjectMetadata as unknown as StructType<ApiObject>
export const partialMessage = (object: ApiObject): Uint8Array =>
  encodeMessage(partialType, { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: object.metadata })

/** A list of stored objects, in pieces. */
export async function encodeList(served: Served, result: ListResult, options: EncodeOptions): Promise<readonly Buffer[]> {
  const { format } = options
  const { resource } = served
  const { items } = result
  const metadata = listMetaOf(result)
  if (format.as === 'Table') return longText(tableDocument(served, items, metadata, { ...options, columns: true }), formOf(options))
  if (format.as === 'PartialObjectMetadata') throw notAcceptable('you requested PartialObjectMetadata, but the requested object is a list')
  const partials = format.as === 'PartialObjectMetadataList'
  const kind = partials ? 'PartialObjectMetadataList' : (resource.listKind ?? `${resource.kind}List`)
  const apiVersion = partials ? 'meta.k8s.io/v1' : resource.apiVersion
  if (format.media === 'protobuf') {
    return enveloped(apiVersion, kind, metadata, await mapPausing(items, (item) => (partials ? partialMessage(item.object) : served.view(item).message(resource.type))))
  }
  const frame = { kind, apiVersion, metadata }
  if (partials) return longText({ frame, key: 'items', items, json: (item) => partial(item.object) }, formOf(options))
  const skip = skippedOf(served)
  const form = formOf(options)
  if (form !== 'json') return longText({ frame, key: 'items', items, json: (item) => `{${served.view(item).json().toString('utf8', skip)}` }, form)
  return [Buffer.from(`${JSON.stringify(frame).slice(0, -1)},"items":[`), ...(await joinedItems(served, result, skip))]
}

async function enveloped(apiVersion: string, kind: string, metadata: meta.ListMeta, items: readonly Uint8Array[]): Promise<readonly Buffer[]> {
  const { head, tail } = envelopeOfList(apiVersion, kind, metadata, items)
  const pieces = new Pieces()
  pieces.bytes(head)
  await eachPausing(items, (item) => {
    pieces.bytes(headOfItem(item))
    pieces.bytes(item)
  })
  pieces.bytes(tail)
  return pieces.finish()
}

/** Items of a built-in list do not repeat the kind; those of custom lists say what they are: Kubernetes does not know their types. */
const skippedOf = ({ custom, resource: { kind, apiVersion } }: Served): number => (custom ? 1 : `{"kind":"${kind}","apiVersion":"${apiVersion}",`.length)

const openBrace = 0x7b
const comma = 0x2c

/** The items of whole lists, for as long as memory is not needed for anything else. */
const lists = new WeakMap<Served, { readonly stamp: string; readonly pieces: WeakRef<readonly Buffer[]> }>()

/** The items of a list, each without its first `skip` bytes, and the end of it. */
async function joinedItems(served: Served, { items, stamp }: ListResult, skip: number): Promise<readonly Buffer[]> {
  const before = lists.get(served)
  const known = stamp !== undefined && before?.stamp === stamp ? before.pieces.deref() : undefined
  if (known) return known
  const pieces = new Pieces()
  let first = true
  await eachPausing(items, (item: Encoded) => {
    const line = served.view(item).line()
    if (!first) pieces.byte(comma)
    first = false
    pieces.byte(openBrace)
    pieces.bytes(line, skip, line.length - 1)
  })
  pieces.text(']}\n')
  const all = pieces.finish()
  if (stamp !== undefined) lists.set(served, { stamp, pieces: new WeakRef(all) })
  return all
}

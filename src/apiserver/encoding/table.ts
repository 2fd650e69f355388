/** Tables and metadata: what `kubectl get` asks for instead of the objects. */
import type { ApiObject } from '../../client/client.ts'
import type { Encoded } from '../cache/encoded.ts'
import { createdAtColumn, nameColumn, printer } from '../registry/printing.ts'
import type { Served } from '../registry/served.ts'
import type { Printer } from '../strategy.ts'
import type { Format } from './negotiate.ts'
import type { LongDocument } from './pieces.ts'

export type IncludeObject = 'Metadata' | 'Object' | 'None'

const plain = printer<ApiObject>(nameColumn, createdAtColumn)

const printerOf = (served: Served): Printer<ApiObject> => served.strategy.printer ?? plain

/** `{"kind":"PartialObjectMetadata",…}`: an object reduced to its metadata. */
export const partial = (object: ApiObject, { version = 'meta.k8s.io/v1' }: Format): string =>
  `{"kind":"PartialObjectMetadata","apiVersion":"${version}","metadata":${JSON.stringify(object.metadata)}}`

function rowObject(served: Served, item: Encoded, { include, format }: TableOptions): string {
  if (include === 'None') return 'null'
  return include === 'Object' ? served.view(item).json().toString() : partial(served.working(item).object, format)
}

export interface TableOptions {
  readonly format: Format
  readonly include: IncludeObject
  readonly now: number
  /** False for the second and further tables of a watch. */
  readonly columns: boolean
}

/** The table of a bookmark: an empty row, whose object holds the resource version. */
export function markOf(served: Served, { object: { metadata: { resourceVersion, annotations } } }: Encoded, options: TableOptions): string {
  const object = { kind: 'PartialObjectMetadata', apiVersion: options.format.version ?? 'meta.k8s.io/v1', metadata: { resourceVersion, ...(annotations ? { annotations } : {}) } }
  const cells = printerOf(served).columns.map((_, i) => (i === 0 ? '' : null))
  return tableOf(served, { resourceVersion }, options, [JSON.stringify({ cells, object: options.include === 'None' ? null : object })])
}

/** A table of objects (in their stored version), with the list's metadata. */
export const tableDocument = (served: Served, items: readonly Encoded[], listMeta: object, options: TableOptions): LongDocument<Encoded> =>
  ({ frame: frameOf(printerOf(served), listMeta, options), key: 'rows', items: inOrder(served, items), json: (item) => row(served, item, options) })

function inOrder(served: Served, items: readonly Encoded[]): readonly Encoded[] {
  const printer = printerOf(served)
  return printer.order ? items.toSorted((a, b) => printer.order!(served.working(a).object, served.working(b).object)) : items
}

/** The table of one object, as text. */
export const tableOfOne = (served: Served, item: Encoded, listMeta: object, options: TableOptions): string =>
  tableOf(served, listMeta, options, [row(served, item, options)])

/** A table of computed objects. */
export const computedTable = (printer: Printer<ApiObject>, items: readonly ApiObject[], options: TableOptions, listMeta: object = {}): string =>
  tableWith(printer, listMeta, options, items.map((item) => {
    const { include, format, now } = options
    const object = include === 'None' ? 'null' : include === 'Object' ? JSON.stringify(item) : partial(item, format)
    return `{"cells":${JSON.stringify(printer.row(item, now))},"object":${object}}`
  }))

function row(served: Served, item: Encoded, options: TableOptions): string {
  const printer = printerOf(served)
  const { object } = served.working(item)
  const conditions = printer.conditions?.(object) ?? []
  const shown = conditions.length > 0 ? `"conditions":${JSON.stringify(conditions)},` : ''
  return `{"cells":${JSON.stringify(printer.row(object, options.now))},${shown}"object":${rowObject(served, item, options)}}`
}

const tableOf = (served: Served, listMeta: object, options: TableOptions, rows: readonly string[]): string =>
  tableWith(printerOf(served), listMeta, options, rows)

const tableWith = (printer: Printer<ApiObject>, listMeta: object, options: TableOptions, rows: readonly string[]): string =>
  `${JSON.stringify(frameOf(printer, listMeta, options)).slice(0, -1)},"rows":[${rows.join(',')}]}`

function frameOf({ columns: definitions }: Printer<ApiObject>, metadata: object, { columns, format: { version = 'meta.k8s.io/v1' } }: TableOptions) {
  const columnDefinitions = columns ? definitions.map((c) => ({ name: c.name, type: c.type, format: c.format ?? '', description: c.description, priority: c.priority ?? 0 })) : null
  return { kind: 'Table', apiVersion: version, metadata, columnDefinitions }
}

import { fill, int32, json, list, rawExtension, req, root, string, struct, zero, type Of } from '../schema.ts'
import { ListMeta, ObjectMeta } from './meta.ts'

export const TableColumnDefinition = struct('TableColumnDefinition', {
  name: req(0, string),
  type: req(0, string),
  format: req(0, string),
  description: req(0, string),
  priority: req(0, int32),
})
export interface TableColumnDefinition extends Of<typeof TableColumnDefinition> {}

export const TableRowCondition = struct('TableRowCondition', {
  type: req(0, string),
  status: req(0, string),
  reason: zero(0, string),
  message: zero(0, string),
})
export interface TableRowCondition extends Of<typeof TableRowCondition> {}

export const TableRow = struct('TableRow', {
  cells: req(0, list(json)),
  conditions: zero(0, list(TableRowCondition)),
  object: fill(0, rawExtension),
})
export interface TableRow extends Of<typeof TableRow> {}

export const Table = root('Table', {
  metadata: fill(0, ListMeta),
  columnDefinitions: req(0, list(TableColumnDefinition)),
  rows: req(0, list(TableRow)),
})
export interface Table extends Of<typeof Table> {}

export const TableOptions = root('TableOptions', {
  includeObject: zero(1, string),
})
export interface TableOptions extends Of<typeof TableOptions> {}

export const PartialObjectMetadata = root('PartialObjectMetadata', {
  metadata: fill(1, ObjectMeta),
})
export interface PartialObjectMetadata extends Of<typeof PartialObjectMetadata> {}

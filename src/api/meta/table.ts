import { fill, int32, json, list, rawExtension, req, root, string, struct, zero, type Of } from '../schema.ts'
import { ListMeta, ObjectMeta } from './meta.ts'

export const TableColumnDefinition = struct('TableColumnDefinition', {
  name: req(0, string, 'The heading.'),
  type: req(0, string, 'string, integer, number, boolean or date.'),
  format: req(0, string, 'How to show it.'),
  description: req(0, string, 'What it means.'),
  priority: req(0, int32, '0 is always shown, others only when more is wanted.'),
})
export interface TableColumnDefinition extends Of<typeof TableColumnDefinition> {}

export const TableRowCondition = struct('TableRowCondition', {
  type: req(0, string, 'Completed.'),
  status: req(0, string, 'True, False or Unknown.'),
  reason: zero(0, string, 'In one word.'),
  message: zero(0, string, 'For people.'),
})
export interface TableRowCondition extends Of<typeof TableRowCondition> {}

export const TableRow = struct('TableRow', {
  cells: req(0, list(json), 'One for each column.'),
  conditions: zero(0, list(TableRowCondition), 'What is to be known of the row.'),
  object: fill(0, rawExtension, 'What the row is about.'),
})
export interface TableRow extends Of<typeof TableRow> {}

export const Table = root('Table', {
  metadata: fill(0, ListMeta, 'Of the list.'),
  columnDefinitions: req(0, list(TableColumnDefinition), 'The columns.'),
  rows: req(0, list(TableRow), 'The rows.'),
})
export interface Table extends Of<typeof Table> {}

export const TableOptions = root('TableOptions', {
  includeObject: zero(1, string, 'None, Metadata or Object: what each row carries.'),
})
export interface TableOptions extends Of<typeof TableOptions> {}

export const PartialObjectMetadata = root('PartialObjectMetadata', {
  metadata: fill(1, ObjectMeta, 'Name, namespace, labels and all else that every object has.'),
})
export interface PartialObjectMetadata extends Of<typeof PartialObjectMetadata> {}

/** The columns of `kubectl get` that a definition states, each the value at a JSON path. */
import type { apiextensions } from '../../api/index.ts'
import type { ApiObject } from '../../client/client.ts'
import { compileJsonPath, type JsonPath } from '../../machinery/jsonpath.ts'
import { parseInstant } from '../../machinery/time.ts'
import { ageColumn, nameColumn, printer, since, type ColumnOf } from '../registry/printing.ts'
import type { Cell, Column, Printer } from '../strategy.ts'

type Definition = apiextensions.CustomResourceColumnDefinition

/** Without columns of its own a kind shows its age. */
const age: ColumnOf<ApiObject> = { ...ageColumn, type: 'date' }

/** What a version prints. */
export const printerOf = (columns: readonly Definition[] | undefined): Printer<ApiObject> =>
  printer<ApiObject>(nameColumn, ...(columns?.length ? columns.map(columnOf) : [age]))

function columnOf({ name, type, format, description, priority, jsonPath }: Definition): ColumnOf<ApiObject> {
  const find = pathOf(jsonPath)
  return {
    name, type: type as Column['type'], description: description || `Custom resource definition column (in JSONPath format): ${jsonPath}`,
    ...(format ? { format: format as NonNullable<Column['format']> } : {}),
    ...(priority === undefined ? {} : { priority }),
    cell: (object, now) => cellOf(type, find(object)[0], now),
  }
}

/** A path that is none finds nothing: the rest of the row can still be shown. */
function pathOf(source: string): JsonPath {
  try {
    return compileJsonPath(source)
  } catch {
    return () => []
  }
}

/** The cell of a value; nothing where it is not of the column's type. */
function cellOf(type: string, value: unknown, now: number): Cell {
  if (value === undefined) return null
  if (value === null) return type === 'string' ? '<no value>' : null
  switch (type) {
    case 'integer': return typeof value === 'bigint' ? value : typeof value === 'number' ? Math.trunc(value) : null
    case 'number': return typeof value === 'bigint' ? Number(value) : typeof value === 'number' ? value : null
    case 'boolean': return typeof value === 'boolean' ? value : null
    case 'date': return typeof value !== 'string' ? null : parseInstant(value) ? since(value, now) : '<invalid>'
    default: return textOf(value)
  }
}

const textOf = (value: unknown): string => (typeof value === 'object' ? JSON.stringify(value) : String(value))

/** How kinds say what `kubectl get` shows of them: a column stands together with the cell it prints. */
import type { meta, core } from '../../api/index.ts'
import type { ApiObject } from '../../client/client.ts'
import { shortAge } from '../../machinery/time.ts'
import type { Cell, Column, Printer } from '../strategy.ts'

export interface ColumnOf<T> extends Column { cell(object: T, now: number): Cell }

type CellOf<T> = (object: T, now: number) => Cell

/** A printer from columns that know their cells. */
export function printer<T>(...columns: readonly ColumnOf<T>[]): Printer<T> {
  return {
    columns: columns.map(({ name, type, format, description, priority }) => ({ name, type, format: format ?? '', description, priority: priority ?? 0 })),
    row: (object, now) => columns.map((column) => column.cell(object, now)),
  }
}

/** A column of text (whatever its cells hold: Kubernetes declares counts as text in many tables). */
export const text = <T>(name: string, description: string, cell: CellOf<T>): ColumnOf<T> => ({ name, type: 'string', description, cell })
/** Columns of numbers and booleans. */
export const integer = <T>(name: string, description: string, cell: CellOf<T>): ColumnOf<T> => ({ name, type: 'integer', description, cell })
export const boolean = <T>(name: string, description: string, cell: CellOf<T>): ColumnOf<T> => ({ name, type: 'boolean', description, cell })
/** The same column, shown with `-o wide` only. */
export const wide = <T>(column: ColumnOf<T>): ColumnOf<T> => ({ ...column, priority: 1 })

export const nameColumn: ColumnOf<ApiObject> = {
  name: 'Name', type: 'string', format: 'name', description: 'The name, unique among objects of this kind in its namespace.', cell: (o) => o.metadata.name ?? '',
}
export const ageColumn: ColumnOf<ApiObject> = text('Age', 'How long ago it was created.', (o, now) => since(o.metadata.creationTimestamp, now))
export const createdAtColumn: ColumnOf<ApiObject> = {
  name: 'Created At', type: 'date', description: 'When it was created.', cell: (o) => o.metadata.creationTimestamp ?? null,
}

/** The time since `timestamp` as kubectl writes it (`5m`, `3d4h`); `<unknown>` when there is none. */
export const since = (timestamp: string | null | undefined, now: number): string =>
  timestamp ? shortAge(now - Date.parse(timestamp)) : '<unknown>'

/** The text, or `<none>`. */
export const orNone = (value: string | undefined): string => (value ? value : '<none>')
/** The text, or `<unset>`. */
export const orUnset = (value: string | undefined): string => (value ? value : '<unset>')

/** `a=b,c=d` in order of the keys; `<none>` when there are no labels. */
export function labelsText(labels: Readonly<Record<string, string>> | undefined): string {
  const pairs = Object.entries(labels ?? {}).toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([key, value]) => `${key}=${value}`)
  return pairs.length === 0 ? '<none>' : pairs.join(',')
}

/** A selector as `kubectl get -o wide` shows it: `app=web,tier in (a,b),!x`; `<none>` when it selects everything or is not there. */
export function selectorText(selector: meta.LabelSelector | undefined): string {
  const requirements = [
    ...Object.entries(selector?.matchLabels ?? {}).map(([key, value]) => ({ key, text: `${key}=${value}` })),
    ...(selector?.matchExpressions ?? []).map(({ key, operator, values = [] }) => ({ key, text: expressionText(key, operator, values) })),
  ]
  return requirements.length === 0 ? '<none>' : requirements.toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)).map((r) => r.text).join(',')
}

function expressionText(key: string, operator: string, values: readonly string[]): string {
  switch (operator) {
    case 'In': return `${key} in (${values.toSorted().join(',')})`
    case 'NotIn': return `${key} notin (${values.toSorted().join(',')})`
    case 'Exists': return key
    case 'DoesNotExist': return `!${key}`
    default: return `${key} ${operator} (${values.join(',')})`
  }
}

type Templated = { readonly spec: { readonly template?: core.PodTemplateSpec | undefined } }
const containersOf = (o: Templated): readonly core.Container[] => o.spec.template?.spec.containers ?? []

/** The two wide columns that all workloads share. */
export const containersColumn: ColumnOf<Templated> = wide(text('Containers', 'Names of the containers in the template.', (o) => containersOf(o).map((c) => c.name).join(',')))
export const imagesColumn: ColumnOf<Templated> = wide(text('Images', 'Images that the containers of the template run.', (o) => containersOf(o).map((c) => c.image ?? '').join(',')))
export const selectorColumn: ColumnOf<{ readonly spec: { readonly selector?: meta.LabelSelector | undefined } }> =
  wide(text('Selector', 'Which pods belong to it.', (o) => selectorText(o.spec.selector)))

/** The first of a list, and how many more there are: `a,b,c + 2 more...`. */
export const firstFew = (items: readonly string[], most: number): string =>
  (items.length <= most ? items.join(',') : `${items.slice(0, most).join(',')} + ${items.length - most} more...`)

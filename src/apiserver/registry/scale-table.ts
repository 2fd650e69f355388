/** What `kubectl get --subresource=scale` shows. */
import type { ApiObject } from '../../client/client.ts'
import type { Printer } from '../strategy.ts'
import { ageColumn, integer, nameColumn, printer } from './printing.ts'

type Counted = ApiObject & { readonly spec?: { readonly replicas?: number }; readonly status?: { readonly replicas?: number } }

const counts = [
  integer('Desired', 'How many replicas are wanted.', (scale: Counted) => scale.spec?.replicas ?? 0),
  integer('Available', 'How many replicas there are.', (scale: Counted) => scale.status?.replicas ?? 0),
] as const

/** The columns of the scale of a kind that the server has itself. */
export const scalePrinter: Printer<ApiObject> = printer<ApiObject>({ ...nameColumn, format: '' }, ...counts, ageColumn)

/** Those of the scale of a custom object. */
export const customScalePrinter: Printer<ApiObject> = printer<ApiObject>(nameColumn, ...counts, { ...ageColumn, type: 'date' })

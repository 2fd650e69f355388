/** What `kubectl get --subresource=scale` shows. */
import type { ApiObject } from '../../client/client.ts'
import type { Printer } from '../strategy.ts'
import { ageColumn, integer, nameColumn, printer } from './printing.ts'

type Counted = ApiObject & { readonly spec?: { readonly replicas?: number }; readonly status?: { readonly replicas?: number } }

/** The columns of a Scale, of whatever kind of object. */
export const scalePrinter: Printer<ApiObject> = printer<ApiObject>(
  nameColumn,
  integer('Desired', 'How many replicas are wanted.', (scale: Counted) => scale.spec?.replicas ?? 0),
  integer('Available', 'How many replicas there are.', (scale: Counted) => scale.status?.replicas ?? 0),
  { ...ageColumn, type: 'date' },
)

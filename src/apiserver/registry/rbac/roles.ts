/** Roles. */
import type { rbac } from '../../../api/index.ts'
import type { Place } from '../../../machinery/field.ts'
import { createdAtColumn, nameColumn, printer } from '../printing.ts'
import type { Strategy } from '../../strategy.ts'
import { ruleErrors, validateName } from './rules.ts'

const validate = (role: rbac.Role, root: Place): void => ruleErrors(role.rules, true, root)

export const roles: Strategy<rbac.Role> = { createOnUpdate: true, validateName, validate, validateUpdate: (next, _current, root) => validate(next, root), printer: printer<rbac.Role>(nameColumn, createdAtColumn) }

/** Roles. */
import type { rbac } from '../../../api/index.ts'
import { createdAtColumn, nameColumn, printer } from '../printing.ts'
import type { Strategy } from '../../strategy.ts'
import { ruleErrors, validateName } from './rules.ts'

const validate = (role: rbac.Role) => ruleErrors(role.rules, true)

export const roles: Strategy<rbac.Role> = { createOnUpdate: true, validateName, validate, validateUpdate: validate, printer: printer<rbac.Role>(nameColumn, createdAtColumn) }

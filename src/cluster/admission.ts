/** Admission as a user asks for it: kube-apiserver's `admission-control-config-file`. */
import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { parsePodSecurity, type PodSecurityOptions } from '../apiserver/admission/pod-security/configuration.ts'
import { argumentFile, type ApiServerArguments } from './apiserver-arguments.ts'
import { UserError } from './user-error.ts'

const flag = 'admission-control-config-file'

/** Defaults and exemptions of Pod Security; undefined when there is no file. Throws `UserError`. */
export function podSecurityOf(given: ApiServerArguments | undefined): PodSecurityOptions | undefined {
  const file = given?.[flag]
  const text = argumentFile(given, flag)
  if (file === undefined || text === undefined) return undefined
  try {
    return parsePodSecurity(text, (path) => readFileSync(resolve(dirname(file), path), 'utf8'))
  } catch (error) {
    throw new UserError(`${flag}: ${file}: ${(error as Error).message}`)
  }
}

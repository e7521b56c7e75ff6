import type { FlowLanguage } from '../parse/language.js';
import { ofType } from './go-calls.js';
import { ofJavaType } from './java-calls.js';
import { JAVA_NUMERIC } from './models/java.js';
import { GO_NUMERIC } from './models/go.js';
import type { Value } from './value.js';

/** A value of which only the type is known. */
export const valueOfType = (type: string, language: FlowLanguage): Value =>
  language === 'java' ? ofJavaType(type) : ofType(type);

export const isNumericType = (type: string, language: FlowLanguage): boolean =>
  language === 'java' ? JAVA_NUMERIC.test(type) : language === 'go' && GO_NUMERIC.test(type);

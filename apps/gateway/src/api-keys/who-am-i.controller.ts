import { Controller, Get } from '@nestjs/common';
import { WhoAmI } from '@devmesh/contracts/gateway-api';
import { Reply } from '../http/reply.decorator.js';
import { FromCaller } from './caller.decorator.js';
import type { Caller } from './caller.js';

@Controller('v1/whoami')
export class WhoAmIController {
  @Get()
  @Reply(WhoAmI)
  whoAmI(@FromCaller() caller: Caller): Caller {
    return caller;
  }
}

import { SetMetadata, type CustomDecorator } from '@nestjs/common';

export const PUBLIC = 'devmesh:public';

/** A route or controller that answers without a token: health and metrics. */
export const Public = (): CustomDecorator => SetMetadata(PUBLIC, true);

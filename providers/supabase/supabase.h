/* supabase.h -- Supabase: auth through GoTrue, storage through its storage API. */
#ifndef SP_PROVIDERS_SUPABASE_H
#define SP_PROVIDERS_SUPABASE_H

#include "provider.h"

extern const struct sp_provider sp_provider_supabase;

#endif

#pragma once

#include <stddef.h>

// docs/openapi.yaml as it was when the program was built; lives as long as the program.
const unsigned char *_Nonnull flexi_api_document(void);
size_t flexi_api_document_size(void);

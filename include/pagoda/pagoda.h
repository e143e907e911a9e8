// All of libpagoda.
#pragma once

#include <pagoda/error.h>
#include <pagoda/index.h>
#include <pagoda/messages.h>
#include <pagoda/retriever.h>
#include <pagoda/train.h>
#include <pagoda/version.h>

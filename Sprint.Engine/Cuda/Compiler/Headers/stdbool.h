// C++ has these as keywords.
#pragma once
